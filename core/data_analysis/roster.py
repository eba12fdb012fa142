"""Who is called: every station, or those with a callback of their own; never a removed one."""

from collections.abc import Collection


class Roster:
    """Which stations' records make work.

    `everyone` is whether every station has a callback; `own` are the stations that have one of
    their own, `removed` those whose records are passed over.
    """

    __slots__ = ("everyone", "own", "removed")

    def __init__(self) -> None:
        self.everyone = False
        self.own: dict[str, None] = {}
        self.removed: dict[str, None] = {}

    def add(self, station_id: str) -> None:
        """A station has a callback of its own."""
        self.removed.pop(station_id, None)
        self.own[station_id] = None

    def remove(self, station_id: str) -> None:
        """A station's records are passed over from now on."""
        self.removed[station_id] = None
        self.own.pop(station_id, None)

    def called(self, stations: Collection[str]) -> Collection[str]:
        """Return those of these stations, none of them removed, that are called."""
        return stations if self.everyone else [each for each in stations if each in self.own]
