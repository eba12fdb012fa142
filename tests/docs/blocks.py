"""The code blocks of README.md and the pages under docs/, as they stand there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FIRST_SERVICE_PAGES = ("docs/tutorials/first-service.md", "docs/tutorials/first-service.zh.md")
"""Their programs work together: `tests/docs/test_first_service.py` runs them."""

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One block: the page, its number among the page's blocks of that language, its text."""

    page: str
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.number}"


def blocks(language: str) -> Iterator[Block]:
    """All blocks of a language, page by page."""
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        found = [text for kind, text in _BLOCK.findall(path.read_text()) if kind == language]
        for number, text in enumerate(found, 1):
            yield Block(path.relative_to(ROOT).as_posix(), number, text)
