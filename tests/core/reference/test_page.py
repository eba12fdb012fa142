"""The page of statements is that of the tests."""

import ast
from pkgutil import resolve_name

from tests.core.reference.page import PAGE, page
from tests.core.reference.statements import FOLDER, chapters


def test_the_page_is_up_to_date() -> None:
    assert page() == PAGE.read_text(), "write it anew: python -m tests.core.reference.page"


def test_what_meets_a_statement_exists() -> None:
    for _, statements in chapters():
        for statement in statements:
            assert statement.met_by, statement.words
            for name in statement.met_by:
                assert resolve_name(f"data_analysis.{name}") is not None


def test_every_test_of_a_chapter_shows_a_statement() -> None:
    listed = {statement.test for _, statements in chapters() for statement in statements}
    for path in FOLDER.glob("test_*.py"):
        tree = ast.parse(path.read_text())
        if path.name == "test_page.py":
            continue
        tests = [
            each.name
            for each in tree.body
            if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")
        ]
        assert tests
        assert set() == {f"tests/core/reference/{path.name}::{test}" for test in tests} - listed
