"""Sets of record numbers as ranges: what one station's producer has had acknowledged.

Numbers come nearly in order, so a few ranges hold millions. Comparing them with results is the
matter of `tally.py`.
"""

from collections.abc import Iterable, Sequence


class Ranges:
    """Numbers that were added, each once, as `[first, last]` pairs."""

    def __init__(self, pairs: Iterable[Sequence[int]] = ()) -> None:
        self._pairs = [[first, last] for first, last in pairs]

    def add(self, number: int) -> None:
        """Add a number that was not added before."""
        if self._pairs and number == self._pairs[-1][1] + 1:
            self._pairs[-1][1] = number
        else:
            self._pairs.append([number, number])

    @property
    def pairs(self) -> list[list[int]]:
        """The ranges, `[first, last]` each, in the order they began."""
        return [list(pair) for pair in self._pairs]

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self._pairs)
