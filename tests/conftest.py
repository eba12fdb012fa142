"""Shared by all tests: the contract suite's options and its table in the summary."""

from pathlib import Path

import pytest

from tests.contract.table import Table


def pytest_addoption(parser: pytest.Parser) -> None:
    contract = parser.getgroup("contract", "contract of simulated Kafka and Apache Kafka")
    contract.addoption(
        "--broker",
        default="virtual,embedded,jvm,docker",
        help="brokers for the contract suite, separated by commas (default: %(default)s)",
    )
    contract.addoption(
        "--contract-table",
        type=Path,
        metavar="PATH",
        help="write the table of cases, brokers and clients to PATH, as Markdown",
    )


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    reports = [
        report
        for outcome in ("passed", "failed", "skipped", "error")
        for report in terminalreporter.stats.get(outcome, [])
    ]
    table = Table.of(reports)
    if not table.outcomes:
        return
    terminalreporter.section("contract")
    for line in table.summary():
        terminalreporter.write_line(line)
    path = config.getoption("--contract-table")
    if path is not None:
        path.write_text(table.markdown())
