"""The page that says, statement by statement, where the reference is met and what shows it.

    python -m tests.core.reference.page

writes `docs/reference/statements.md` from the tests themselves; a test holds that it is up to date.
"""

from tests.core.reference.statements import FOLDER, chapters

PAGE = FOLDER.parents[2] / "docs" / "reference" / "statements.md"

HEAD = """\
# The API reference, statement by statement

<!-- written by `python -m tests.core.reference.page`; change the tests instead -->

Every statement of behaviour in the API reference (v1.2), in its own words, with the place in
`data_analysis` that meets it and the test that shows it. Names, parameters and defaults are
compared in `tests/core/test_signatures.py`.
"""


def page() -> str:
    """Return the whole page, as Markdown."""
    lines = [HEAD.rstrip()]
    for heading, statements in chapters():
        lines += ["", f"## {heading}", "", "| statement | met by | shown by |", "|---|---|---|"]
        for each in statements:
            met_by = ", ".join(f"`{name}`" for name in each.met_by)
            lines.append(f"| {each.words} | {met_by} | `{each.test}` |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
