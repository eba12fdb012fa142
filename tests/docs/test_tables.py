"""What the pages list is what the code has: log messages, metrics, reasons, causes, names."""

import ast
import re
from collections.abc import Iterator
from pkgutil import resolve_name

import data_analysis
from data_analysis import AsyncDataAnalysisService, GapCause
from data_analysis.clock import SystemClock
from data_analysis.metrics import ServiceMetrics
from data_analysis.refusals import Reason
from tests.core.world import small_config
from tests.docs.blocks import ROOT

QUOTED = ("成功提交", "多消费者拉取统计")
"""Messages that the API reference quotes."""


def rows(page: str) -> Iterator[list[str]]:
    """The cells of every row of a page's tables."""
    for line in (ROOT / "docs" / page).read_text().splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def texts() -> set[str]:
    """Every string of the library's code, with %s for what f-strings fill in."""
    found: set[str] = set()
    for path in (ROOT / "core" / "data_analysis").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = (
                    each.value if isinstance(each, ast.Constant) else "%s" for each in node.values
                )
                found.add("".join(map(str, parts)))
    return found


def test_the_messages_listed_are_in_the_code_word_for_word() -> None:
    messages = [cells[2].strip("`") for cells in rows("reference/logging.md")][2:]
    assert len(messages) > 10
    in_code = texts()
    for message in messages:
        wanted = message.replace("topic:count,...", "%s")
        assert any(text.startswith(wanted) for text in in_code), message
    for quoted in QUOTED:
        assert any(message.startswith(quoted) for message in messages)


def test_the_loggers_listed_exist() -> None:
    for logger, *_ in list(rows("reference/logging.md"))[2:]:
        name = logger.strip("`")
        assert name == resolve_name(f"{name}:logger").name


def test_the_metrics_listed_are_those_that_are_served() -> None:
    kafka = {"bootstrap_servers": ["kafka:9092"], "group_id": "g"}
    service = AsyncDataAnalysisService(kafka_config=kafka, config=small_config())
    served = {metric.name for metric in ServiceMetrics(service, SystemClock().time).collect()}
    page = (ROOT / "docs/how-to/deploy-and-health.md").read_text()
    listed = set(re.findall(r"data_analysis_\w+", page)) - {"data_analysis_"}
    assert len(listed) > 10
    assert set() == {name.removesuffix("_total") for name in listed} - served


def test_the_reasons_and_causes_listed_are_all_there_are() -> None:
    first = [re.findall("`(.*?)`", cells[0]) for cells in rows("how-to/dead-letters.md")]
    assert {each.value for each in Reason} == {name for names in first for name in names}
    first = [re.findall("`(.*?)`", cells[0]) for cells in rows("how-to/gaps.md")]
    assert {str(each) for each in GapCause} == {name for names in first for name in names}


def test_every_public_name_is_in_the_library_s_reference() -> None:
    page = (ROOT / "docs/reference/library.md").read_text()
    listed = re.findall(r"^::: (\S+)$", page, re.MULTILINE)
    assert sorted(data_analysis.__all__) == sorted(path.rpartition(".")[2] for path in listed)
    for path in listed:
        name = path.rpartition(".")[2]
        assert getattr(data_analysis, name) is resolve_name(path)
