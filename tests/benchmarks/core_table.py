"""The tables of `core.py`: what is compared, and the figures; both are Markdown."""

import statistics
from collections.abc import Sequence

from tests.benchmarks.core_rows import PARTITIONS, ROWS, Row, Side
from tests.benchmarks.core_runs import Pair

WIDTHS = (17, 12, 12, 8, 12, 9, 10, 10, 10, 12)
TITLES = (
    *("row", "ours /s", "other /s", "ratio", "of rounds", "wanted"),
    *("ours us", "other us", "cpu ratio", "of rounds"),
)


def conditions(rows: Sequence[Row] = ROWS) -> str:
    """What both sides of every row read, do and upload."""
    lines = [
        f"{PARTITIONS} partitions; one topic in, one out; commits once a second.",
        "",
        "| row | records | service: fields, form; uploads | other side: fields, form; uploads |",
        "|---|---|---|---|",
    ]
    for row in rows:
        other = "" if row.yardstick is None else _side(row.yardstick)
        lines.append(f"| {row.name} | {row.ours.data.what} | {_side(row.ours)} | {other} |")
    return "\n".join(lines)


def _side(side: Side) -> str:
    return f"{side.name}: {side.job}; {side.uploads}"


def header() -> str:
    """The head of the table of figures: points per second, processor microseconds a point."""
    first, *others = WIDTHS
    rule = "|".join(["-" * (first + 2), *("-" * (width + 1) + ":" for width in others)])
    return f"{_line(TITLES)}\n|{rule}|"


def figures(row: Row, pairs: Sequence[Pair]) -> tuple[str, bool]:
    """The line of a row, and whether its wanted figure was met."""
    ours_per_s = statistics.median(pair.ours.per_s for pair in pairs)
    cells = [row.name, f"{ours_per_s:,.0f}"]
    cpu = [f"{statistics.median(pair.ours.cpu_us for pair in pairs):.2f}"]
    wanted = "" if row.wanted is None else f">= {row.wanted:,g}"
    compared = [(pair.ours, pair.other) for pair in pairs if pair.other is not None]
    if not compared:
        rates = [pair.ours.per_s for pair in pairs]
        cells += ["", "", f"{min(rates):,.0f}-{max(rates):,.0f}", wanted, *cpu, "", "", ""]
        return _line(cells), row.wanted is None or ours_per_s >= row.wanted
    ratios = [ours.per_s / other.per_s for ours, other in compared]
    cheaper = [other.cpu_us / ours.cpu_us for ours, other in compared]
    ratio = statistics.median(ratios)
    cells.append(f"{statistics.median(other.per_s for _, other in compared):,.0f}")
    cells += [f"{ratio:.2f}", _spread(ratios), wanted, *cpu]
    cells.append(f"{statistics.median(other.cpu_us for _, other in compared):.2f}")
    cells += [f"{statistics.median(cheaper):.2f}", _spread(cheaper)]
    return _line(cells), row.wanted is None or ratio >= row.wanted


def _spread(ratios: Sequence[float]) -> str:
    return f"{min(ratios):.2f}-{max(ratios):.2f}"


def _line(cells: Sequence[str]) -> str:
    first, *others = zip(cells, WIDTHS, strict=True)
    padded = [f"{first[0]:<{first[1]}}", *(f"{text:>{width}}" for text, width in others)]
    return "| " + " | ".join(padded) + " |"
