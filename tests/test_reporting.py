"""Reports come about whatever the garbage of a failed test does when it is collected."""

import ast
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

import tests.conftest
from tests.reporting import without_collecting

CODE = "\n".join(f"x{number} = f(a, b[{number}])" for number in range(3_000))


class Parses:
    """Garbage that parses when it is collected, deeper in the stack than who allocates."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        parse_deeper(20)


def parse_deeper(by: int) -> None:
    if by:
        parse_deeper(by - 1)
    else:
        ast.parse("a + b")


@pytest.fixture
def garbage() -> Iterator[None]:
    gc.collect()
    gc.disable()
    for _ in range(50):
        Parses()
    gc.enable()
    yield
    gc.collect()


@pytest.mark.usefixtures("garbage")
def test_source_is_parsed_whole() -> None:
    with without_collecting():
        assert 3_000 == len(ast.parse(CODE).body)


def test_collecting_goes_on_afterwards() -> None:
    assert gc.isenabled()
    with without_collecting():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_every_report_is_made_so(request: pytest.FixtureRequest) -> None:
    hooks = request.config.hook.pytest_runtest_makereport.get_hookimpls()
    assert str(Path(tests.conftest.__file__)) in {each.plugin_name for each in hooks}
