"""Regular expressions that take time in proportion to the text, whatever they are, as RE2's do.

Apache Kafka reads patterns of clients with RE2/J. Here Python's parser reads them, and sets of
positions are followed through what it made, so that nothing is tried twice. What RE2 has not, such
as references to groups, looks ahead and possessive repetitions, is refused. Where the two dialects
write the same thing differently, Python's counts.
"""

import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any

REPETITIONS_MAX = 1_000
"""Counts of repetitions, multiplied where one is in another, may be no more; as in RE2."""

_parser: Any = import_module("re._parser")
_compiler: Any = import_module("re._compiler")

_REFUSED = "invalid regular expression"
_ONE_CHARACTER = {"LITERAL", "NOT_LITERAL", "ANY", "IN"}
Positions = frozenset[int]


class RegularExpression:
    """A pattern that a whole text may fit; raises ValueError for one that RE2 would not take."""

    def __init__(self, source: str) -> None:
        try:
            self._parsed = _parser.parse(source, re.DOTALL)
            self._flags: int = self._parsed.state.flags
            _check(self._parsed, 1)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(_REFUSED) from error
        self._characters: dict[tuple[int, int], re.Pattern[str]] = {}

    def fits(self, text: str) -> bool:
        """Whether the whole text is what the pattern says."""
        return len(text) in self._behind(self._parsed, text, frozenset({0}), self._flags)

    def _behind(self, parsed: Any, text: str, starts: Positions, flags: int) -> Positions:
        """Where what is parsed may end in the text if it begins at one of `starts`."""
        for item in parsed:
            if not starts:
                break
            starts = self._behind_one(item, text, starts, flags)
        return starts

    def _behind_one(self, item: Any, text: str, starts: Positions, flags: int) -> Positions:
        operation, argument = str(item[0]), item[1]
        if operation in _ONE_CHARACTER:
            matches = self._character(item, flags).match
            return frozenset(at + 1 for at in starts if at < len(text) and matches(text, at))
        if operation == "AT":
            matches = self._character(item, flags).match
            return frozenset(at for at in starts if matches(text, at))
        if operation == "BRANCH":
            ends = (self._behind(branch, text, starts, flags) for branch in argument[1])
            return frozenset().union(*ends)
        if operation == "SUBPATTERN":
            _group, added, removed, inner = argument
            return self._behind(inner, text, starts, (flags | added) & ~removed)
        low, high, inner = argument
        return self._repeated(inner, low, high, text, starts, flags)

    def _repeated(
        self, inner: Any, low: int, high: int, text: str, starts: Positions, flags: int
    ) -> Positions:
        for _ in range(low):
            starts = self._behind(inner, text, starts, flags)
        found = starts
        for _ in range(min(high - low, len(text))):
            starts = self._behind(inner, text, starts, flags) - found
            if not starts:
                break
            found |= starts
        return found

    def _character(self, item: Any, flags: int) -> "re.Pattern[str]":
        """What Python makes of one item alone."""
        key = (id(item), flags)
        if key not in self._characters:
            state = _parser.State()
            state.flags = flags
            self._characters[key] = _compiler.compile(_parser.SubPattern(state, [item]), flags)
        return self._characters[key]


def _check(parsed: Iterable[Any], times: int) -> None:
    """Raise `ValueError` for what RE2 has not."""
    for item, argument in parsed:
        operation = str(item)
        if operation == "BRANCH":
            for branch in argument[1]:
                _check(branch, times)
        elif operation == "SUBPATTERN":
            _check(argument[3], times)
        elif operation in ("MAX_REPEAT", "MIN_REPEAT"):
            low, high, inner = argument
            counted = max(low, 0 if high is _parser.MAXREPEAT else high, 1) * times
            if counted > REPETITIONS_MAX:
                raise ValueError(_REFUSED)
            _check(inner, counted)
        elif operation not in _ONE_CHARACTER and operation != "AT":
            raise ValueError(_REFUSED)
