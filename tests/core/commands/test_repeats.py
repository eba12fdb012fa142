"""A client's log is written without what it repeats."""

import logging

import pytest

from data_analysis.commands.repeats import OncePerMinute


def written(
    lines: list[tuple[float, str]], name: str = "aiokafka.cluster", level: int = logging.ERROR
) -> list[str]:
    """What is written of lines, each with the second at which it comes."""
    once = OncePerMinute("aiokafka")
    shown = []
    for at_s, text in lines:
        record = logging.LogRecord(name, level, "", 0, "%s", (text,), None)
        record.created = at_s
        if once.filter(record):
            shown.append(record.getMessage())
    return shown


def test_a_line_is_written_once_a_minute_with_how_many_were_held_back() -> None:
    lines = [(at_s, "no T") for at_s in (0.0, 0.1, 59.9, 60.0, 120.0)]
    assert ["no T", "no T (2 more since the last such line)", "no T"] == written(lines)


def test_another_line_is_written_at_once() -> None:
    assert ["no T", "no U"] == written([(0.0, "no T"), (0.1, "no U")])


@pytest.mark.parametrize(
    ("name", "level"),
    [("aiokafka.conn", logging.INFO), ("data_analysis.gap_log", logging.ERROR)],
)
def test_progress_and_what_others_write_is_not_held_back(name: str, level: int) -> None:
    assert ["x", "x"] == written([(0.0, "x"), (0.1, "x")], name, level)
