"""A record of the whole network, before anything is done to it. Data only."""

from typing import NamedTuple


class NetworkRecord(NamedTuple):
    """`part` counts the records of one instant, `stations` are those that it speaks of."""

    due_ms: int
    part: int
    value: bytes
    stations: tuple[str, ...]
