"""The page that lists every contract case: what it states, what it asks, through whom, and where.

    python -m tests.contract.tables

writes `docs/reference/contract.md` from the cases themselves; a test holds that it is up to date.
What passed in a run is in `table.py`.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from tests.contract.clients.kinds import IN_VIRTUAL_TIME, WIRE
from tests.contract.registry import Case, all_cases
from tests.contract.table import ORDER
from tests.contract.worlds import clients_on

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "contract.md"

HEAD = """\
# The contract of the simulated Kafka

<!-- written by `python -m tests.contract.tables`; change the cases instead -->

Every case is one statement about Kafka, and its body is the same on each broker: in virtual time
(`virtual`), on loopback (`embedded`), and on Apache Kafka 4.1 (`jvm`, `docker`). `wire` cases send
bare requests; the others ask through the clients that are named, in virtual time through
{virtual} alone. What the simulated Kafka models and leaves out is in `FIDELITY.md`,
next to its code.
"""


def page() -> str:
    """The whole page, as Markdown."""
    families = [(name, list(found)) for name, found in groupby(all_cases(), lambda c: c.family)]
    lines = [HEAD.format(virtual=" and ".join(name for name in IN_VIRTUAL_TIME if name != WIRE))]
    lines += counts(families)
    for name, cases in families:
        lines += ["", f"## {name}", "", *family_table(cases), *reasons(cases)]
    return "\n".join(lines) + "\n"


def counts(families: list[tuple[str, list[Case]]]) -> Iterator[str]:
    """Per family: how many cases there are, and how many runs they make on each broker."""
    yield "| family | cases | " + " | ".join(f"runs on {kind}" for kind in ORDER) + " |"
    yield "|---" * (len(ORDER) + 2) + "|"
    for name, cases in families:
        yield row(f"[{name}](#{name})", len(cases), *(runs(cases, kind) for kind in ORDER))
    everything = [case for _, cases in families for case in cases]
    yield row("all", len(everything), *(runs(everything, kind) for kind in ORDER))


def runs(cases: Iterable[Case], kind: str) -> int:
    """How often cases are run on a broker: once for each client."""
    return sum(len(clients_on(case, kind)) for case in cases)


def family_table(cases: Iterable[Case]) -> Iterator[str]:
    """A line for each case."""
    yield row("case", "states", "asks", "through")
    yield "|---|---|---|---|"
    for case in cases:
        states = case.states.replace("|", "\\|")
        yield row(f"`{case.name}`", states, ", ".join(case.requests), ", ".join(case.clients))


def reasons(cases: Iterable[Case]) -> Iterator[str]:
    """Why clients and brokers are left out."""
    for case in cases:
        for client, reason in case.without.items():
            yield f"\n`{case.name}` without {client}: it {reason}."
    for kind in ORDER:
        if not any(clients_on(case, kind) for case in cases):
            yield f"\nNot on {kind}, which is opened without users."


def row(*cells: object) -> str:
    """One line of a table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(page())
