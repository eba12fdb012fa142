"""The table of cases, brokers and clients: collected from pytest's reports, shown in its summary,
written as Markdown.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

ORDER = ("virtual", "embedded", "jvm", "docker")


class Row(NamedTuple):
    """What is asked, and through whom: one line of the table."""

    family: str
    case: str
    client: str


@dataclass
class Table:
    """Outcomes of cases and clients by broker."""

    outcomes: dict[Row, dict[str, str]] = field(default_factory=dict)
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

    def add(self, contract: tuple[str, str, str, str], report: pytest.TestReport) -> None:
        """Note one outcome; a failure anywhere (set-up, body, end) outweighs the rest."""
        family, case, broker, client = contract
        outcomes = self.outcomes.setdefault(Row(family, case, client), {})
        if report.failed or outcomes.get(broker) != "failed":
            outcomes[broker] = report.outcome
        if report.skipped:
            self.reasons[broker] = reason_of(report)

    @property
    def brokers(self) -> list[str]:
        """The brokers, the simulated before the real."""
        return sorted({broker for found in self.outcomes.values() for broker in found}, key=place)

    def summary(self) -> list[str]:
        """Lines for the terminal: how many cases passed, by family, by client and in all, on each
        broker; then all that did not.
        """
        if not self.outcomes:
            return []
        lines = [self._line("family", self.brokers)]
        for family in sorted({row.family for row in self.outcomes}):
            lines.append(self._shares(family, [r for r in self.outcomes if r.family == family]))
        lines.append(self._line("client", [""] * len(self.brokers)))
        for client in sorted({row.client for row in self.outcomes}):
            lines.append(self._shares(client, [r for r in self.outcomes if r.client == client]))
        lines.append(self._shares("all", list(self.outcomes)))
        lines += [f"{broker} skipped: {reason}" for broker, reason in self.reasons.items()]
        lines += [
            f"{outcome}: {row.case} through {row.client} on {broker}"
            for row, found in sorted(self.outcomes.items())
            for broker, outcome in found.items()
            if outcome == "failed"
        ]
        return lines

    def markdown(self) -> str:
        """The whole table: a line for each case and client."""
        brokers = self.brokers
        lines = [
            "| family | case | client | " + " | ".join(brokers) + " |",
            "|---" * (len(brokers) + 3) + "|",
        ]
        for row, found in sorted(self.outcomes.items()):
            cells = " | ".join(found.get(broker, "not run") for broker in brokers)
            lines.append(f"| {row.family} | {row.case} | {row.client} | {cells} |")
        lines += [f"\n{broker}: skipped, {reason}" for broker, reason in self.reasons.items()]
        return "\n".join(lines) + "\n"

    def _shares(self, title: str, rows: list[Row]) -> str:
        return self._line(title, [self._share(rows, broker) for broker in self.brokers])

    def _share(self, rows: list[Row], broker: str) -> str:
        found = [self.outcomes[row][broker] for row in rows if broker in self.outcomes[row]]
        return f"{found.count('passed')}/{len(found)}" if found else "-"

    @staticmethod
    def _line(title: str, cells: list[str]) -> str:
        return f"{title:<28}" + "".join(f"{cell:>12}" for cell in cells)


def place(broker: str) -> int:
    """Where a broker stands in the table; those at an address come last."""
    return ORDER.index(broker) if broker in ORDER else len(ORDER)


def reason_of(report: pytest.TestReport) -> str:
    """Why a test was skipped."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return str(report.longrepr)
