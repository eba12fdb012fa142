"""Records kept back on their way: how a story makes some arrive late and out of order.

A hold decides and keeps; `gateway` asks it at every record and takes back what it releases.
"""

from collections.abc import Callable
from random import Random
from types import TracebackType
from typing import Self

from station_sim.streams.ledger import Entry
from station_sim.streams.record import Record


class Hold:
    """Keeps back every record that `matches` says yes to, until it is released.

    With `with`, it is released at the end of the block, shuffled by `shuffle` if that was given.
    """

    def __init__(
        self,
        matches: Callable[[Record], bool],
        pass_on: Callable[["Hold", list[Entry]], None],
        shuffle: Random | None = None,
    ) -> None:
        self.matches = matches
        self.entries: list[Entry] = []
        self._pass_on = pass_on
        self._shuffle = shuffle

    def release(self, shuffle: Random | None = None) -> int:
        """Send what was kept, in its own order or shuffled, and keep nothing more.

        Returns the number of records released; a second release is harmless and returns 0.
        """
        released, self.entries = self.entries, []
        order = shuffle or self._shuffle
        if order is not None:
            order.shuffle(released)
        self._pass_on(self, released)
        return len(released)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
