"""The outcome of a run: figures, verdict, as one JSON object or as a table.

Counting is done in `tally.py` and `fleet.py`; limits are in `thresholds.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from typing import Any

from rich.console import Console
from rich.table import Table

from station_load.plan import LoadPlan
from station_load.ranges import Ranges
from station_load.tally import Tally
from station_load.thresholds import Threshold

EXIT_CODES = {"held": 0, "violated": 1, "interrupted": 130}

PERCENTILES = {"p50_ms": 50.0, "p99_ms": 99.0, "max_ms": 100.0}

SENT_NAMES = ("p50_ms", "p99_ms")

LATENCY_NOTE = (
    "latency counts from when a record was due: to Kafka's acknowledgement of it, and end to end"
    " to when its result could be read in the output topic"
)


@dataclass(frozen=True)
class Account:
    """What the sending process says in the end; see `Fleet.account`."""

    acknowledged: Mapping[str, Ranges]
    failed: int
    unsent: int
    first_due_s: float | None
    last_acknowledged_s: float | None
    error: str | None
    sent_p50_ms: float | None = None
    sent_p99_ms: float | None = None

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Account":
        """The account as the sending process wrote it; other keys are ignored."""
        acknowledged = {station: Ranges(pairs) for station, pairs in fields["acknowledged"].items()}
        others = {each.name: fields[each.name] for each in dataclass_fields(cls)[1:]}
        return cls(acknowledged, **others)

    @classmethod
    def empty(cls) -> "Account":
        """The account of a sender that ended before it could send."""
        return cls({}, failed=0, unsent=0, first_due_s=None, last_acknowledged_s=None, error=None)

    @property
    def sent(self) -> int:
        """Records that Kafka acknowledged."""
        return sum(map(len, self.acknowledged.values()))


@dataclass(frozen=True)
class Report:
    """`figures` by name (counts, records per second, milliseconds), judged `thresholds`, `notes`.

    `verdict` is `held`, `violated` (a threshold missed or a record lost) or `interrupted`.
    """

    figures: Mapping[str, Any]
    thresholds: Sequence[Mapping[str, Any]]
    notes: Sequence[str]
    verdict: str

    @property
    def exit_code(self) -> int:
        """0 held, 1 violated, 130 interrupted."""
        return EXIT_CODES[self.verdict]

    def as_json(self) -> dict[str, Any]:
        """The report as one JSON object."""
        return {
            **self.figures,
            "thresholds": list(self.thresholds),
            "notes": list(self.notes),
            "verdict": self.verdict,
        }


def make_report(
    plan: LoadPlan,
    tally: Tally,
    account: Account,
    *,
    broker: str,
    thresholds: Sequence[Threshold],
    interrupted: bool = False,
    hints: Sequence[str] = (),
) -> Report:
    """Judge a run. Records without a result are lost, or unfinished if it was interrupted.

    `hints` are what may explain a loss; they are told with one.
    """
    missing = tally.missing(account.acknowledged)
    lost = 0 if interrupted else missing
    figures = {
        "sent": account.sent,
        "sent_per_s": _per_second(account.sent, account.first_due_s, account.last_acknowledged_s),
        "processed": tally.processed,
        "processed_per_s": _per_second(tally.processed, account.first_due_s, tally.last_seen_s),
        **{name: _rounded(tally.latency_ms(share)) for name, share in PERCENTILES.items()},
        "sent_p50_ms": _rounded(account.sent_p50_ms),
        "sent_p99_ms": _rounded(account.sent_p99_ms),
        "lost": lost,
        "duplicates": tally.duplicates,
        "failed": account.failed,
        "unsent": account.unsent,
        "unfinished": missing - lost,
        "duration_s": plan.duration_s,
        "stations": plan.stations,
        "rate_per_s": plan.rate_per_s,
        "users": plan.users,
        "seed": plan.seed,
        "broker": broker,
    }
    judged = [threshold.judge(figures) for threshold in thresholds]
    held = not lost and all(each["held"] for each in judged)
    verdict = "interrupted" if interrupted else "held" if held else "violated"
    notes = _notes(plan, tally, account, lost, interrupted)
    return Report(figures, judged, [*notes, *(hints if lost else ())], verdict)


def print_report(report: Report, console: Console) -> None:
    """The report for people."""
    figures = report.figures
    table = Table("", "records", "per second", title=f"Load on {figures['broker']}")
    for name in ("sent", "processed"):
        table.add_row(name, _text(figures[name]), _text(figures[f"{name}_per_s"]))
    for name in ("lost", "duplicates", "failed", "unsent", "unfinished"):
        if figures[name] or name == "lost":
            table.add_row(name, _text(figures[name]), "")
    console.print(table)
    latencies = Table("latency, ms", "p50", "p99", "max")
    latencies.add_row("acknowledged", *(_text(figures[f"sent_{name}"]) for name in SENT_NAMES), "")
    latencies.add_row("end to end", *(_text(figures[name]) for name in PERCENTILES))
    console.print(latencies)
    for each in report.thresholds:
        sign = "held" if each["held"] else "MISSED"
        console.print(
            f"{sign}: {each['name']} {each['limit']:g}, measured {_text(each['measured'])}"
        )
    for note in report.notes:
        console.print(note, markup=False, soft_wrap=True)
    console.print(LATENCY_NOTE, soft_wrap=True)
    console.print(f"verdict: {report.verdict}")


def _notes(
    plan: LoadPlan, tally: Tally, account: Account, lost: int, interrupted: bool
) -> list[str]:
    notes = []
    if lost:
        examples = ", ".join(tally.missing_examples(account.acknowledged))
        notes.append(
            f"lost {lost} records: acknowledged by Kafka, no result within {plan.drain_s:g} s"
            f" after the last one was sent, e.g. {examples} (station/number)"
        )
    if account.failed:
        notes.append(f"{account.failed} records were not acknowledged, the last: {account.error}")
    if account.unsent and not interrupted:
        notes.append(
            f"the senders fell behind: {account.unsent} records that were due were not sent;"
            " lower --rate, or send from a faster machine"
        )
    return notes


def _per_second(count: int, from_s: float | None, to_s: float | None) -> float | None:
    if not count or from_s is None or to_s is None or to_s <= from_s:
        return None
    return _rounded(count / (to_s - from_s))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _text(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
