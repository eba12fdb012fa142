"""Shared by all tests: how reports are made, the contract suite's options and its table in the
summary.
"""

import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.contract.table import Table
from tests.reporting import without_collecting


def pytest_configure() -> None:
    """Mind Ctrl-C, and so do the programs that tests start, where a script runs the tests in the
    background: shells have it ignored there."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
    contract.addoption(
        "--programs",
        type=int,
        default=300,
        help="random programs of each subject in a full run (default: %(default)s)",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """No garbage is collected while a report is made; `reporting.py` says why."""
    with without_collecting():
        return (yield)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    reports = [
        report
        for outcome in ("passed", "failed", "skipped", "error")
        for report in terminalreporter.stats.get(outcome, [])
    ]
    show_machine(terminalreporter, reports)
    table = Table.of(reports)
    if not table.outcomes:
        return
    terminalreporter.section("contract")
    for line in table.summary():
        terminalreporter.write_line(line)
    path = config.getoption("--contract-table")
    if path is not None:
        path.write_text(table.markdown())


def show_machine(
    terminalreporter: pytest.TerminalReporter, reports: list[pytest.TestReport]
) -> None:
    """Tell what random programs put to the test."""
    lines = [
        line
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "machine"
        for line in value
    ]
    if lines:
        terminalreporter.section("random programs")
    for line in lines:
        terminalreporter.write_line(line)
