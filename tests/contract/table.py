"""The table of cases and brokers: collected from pytest's reports, shown in its summary, written as
Markdown.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

ORDER = ("virtual", "embedded", "jvm", "docker")


@dataclass
class Table:
    """Outcomes of cases by broker."""

    outcomes: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, reports: Iterable[pytest.TestReport]) -> "Table":
        """The table of a session's reports; other tests' are passed over."""
        table = cls()
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "contract":
                    table.add(tuple(value), report)
        return table

    def add(self, contract: tuple[str, str, str], report: pytest.TestReport) -> None:
        """Note one outcome; a failure anywhere (set-up, body, end) outweighs the rest."""
        family, case, broker = contract
        row = self.outcomes.setdefault((family, case), {})
        if report.failed or row.get(broker) != "failed":
            row[broker] = report.outcome
        if report.skipped:
            self.reasons[broker] = reason_of(report)

    @property
    def brokers(self) -> list[str]:
        """The brokers, the simulated before the real."""
        return sorted({broker for row in self.outcomes.values() for broker in row}, key=ORDER.index)

    def families(self) -> list[str]:
        """Lines for the terminal: how many cases of a family passed, by broker; then all that did
        not.
        """
        if not self.outcomes:
            return []
        head = f"{'family':<16}" + "".join(f"{broker:>12}" for broker in self.brokers)
        lines = [head]
        for family in sorted({family for family, _ in self.outcomes}):
            lines.append(f"{family:<16}" + "".join(self._share(family, b) for b in self.brokers))
        lines.append(f"{'all':<16}" + "".join(self._share(None, b) for b in self.brokers))
        lines += [f"{broker} skipped: {reason}" for broker, reason in self.reasons.items()]
        lines += [
            f"{outcome}: {case} on {broker}"
            for (_, case), row in sorted(self.outcomes.items())
            for broker, outcome in row.items()
            if outcome == "failed"
        ]
        return lines

    def markdown(self) -> str:
        """The whole table: a line for each case."""
        brokers = self.brokers
        lines = [
            "| family | case | " + " | ".join(brokers) + " |",
            "|---" * (len(brokers) + 2) + "|",
        ]
        for (family, case), row in sorted(self.outcomes.items()):
            cells = " | ".join(row.get(broker, "not run") for broker in brokers)
            lines.append(f"| {family} | {case} | {cells} |")
        lines += [f"\n{broker}: skipped, {reason}" for broker, reason in self.reasons.items()]
        return "\n".join(lines) + "\n"

    def _share(self, family: str | None, broker: str) -> str:
        rows = [row for (of, _), row in self.outcomes.items() if family in (None, of)]
        passed = sum(row.get(broker) == "passed" for row in rows)
        return f"{f'{passed}/{len(rows)}':>12}"


def reason_of(report: pytest.TestReport) -> str:
    """Why a test was skipped."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return str(report.longrepr)
