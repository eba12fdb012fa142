"""How a test says which statement of the reference it shows, and where that is met.

Each module `test_CHAPTER.py` beside this one has the chapter's heading as `CHAPTER`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, TypeVar

Test = TypeVar("Test", bound=Callable[..., None])

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Statement:
    """The reference's words, the dotted names that meet them, and the test that shows it."""

    words: str
    met_by: tuple[str, ...]
    test: str


def states(words: str, *met_by: str) -> Callable[[Test], Test]:
    """Mark a test with the statement that it shows.

    Args:
        words: the reference's own, shortened at most.
        met_by: where it is met, as `module.name` in `data_analysis`.
    """

    def mark(test: Test) -> Test:
        assert isinstance(test, FunctionType)
        path = f"tests/core/reference/{Path(test.__code__.co_filename).name}"
        statement = Statement(words, met_by, f"{path}::{test.__name__}")
        test.__dict__.setdefault("statements", []).insert(0, statement)
        return test

    return mark


def chapters() -> list[tuple[str, list[Statement]]]:
    """Return each chapter's heading and its statements, in the order of the tests."""
    names = sorted(path.stem for path in FOLDER.glob("test_*.py"))
    modules = [import_module(f"tests.core.reference.{name}") for name in names]
    return [(module.CHAPTER, list(_found(module))) for module in modules if _is_chapter(module)]


def _is_chapter(module: ModuleType) -> bool:
    return hasattr(module, "CHAPTER")


def _found(module: ModuleType) -> Iterator[Statement]:
    for value in vars(module).values():
        marks: list[Any] = getattr(value, "statements", [])
        yield from marks
