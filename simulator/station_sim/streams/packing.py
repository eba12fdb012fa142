"""Items of several stations in as few records as a size limit allows.

A station's items stay together where they fit, so that one station more changes only the last
record. How items look is the topics' business.
"""

from collections.abc import Sequence
from typing import NamedTuple

from station_sim.errors import LabError

Items = Sequence[tuple[str, Sequence[bytes]]]
RECORD_BYTES_MAX = 900_000
"""Under Kafka's default of 1 MiB for a request, with room for key, headers and batch."""


class Packed(NamedTuple):
    """Items of one record, and the stations that it speaks of."""

    items: list[bytes]
    stations: tuple[str, ...]


def pack(items: Items, frame_bytes: int, limit_bytes: int = RECORD_BYTES_MAX) -> list[Packed]:
    """Items by station, in records of at most `limit_bytes` with a frame of `frame_bytes`.

    Raises `LabError` for a single item that is over the limit.
    """
    found: list[Packed] = []
    room = 0
    for station, pieces in items:
        whole = sum(map(len, pieces)) + len(pieces)
        alone = whole + frame_bytes > limit_bytes
        for group in _split(pieces, limit_bytes - frame_bytes) if alone else [pieces]:
            size = sum(map(len, group)) + len(group)
            if not group:
                continue
            if not found or size > room:
                found.append(Packed([], ()))
                room = limit_bytes - frame_bytes
            last = found[-1]
            last.items.extend(group)
            if station not in last.stations[-1:]:
                found[-1] = last._replace(stations=(*last.stations, station))
            room -= size
    return found


def _split(pieces: Sequence[bytes], room_bytes: int) -> list[list[bytes]]:
    groups: list[list[bytes]] = []
    room = 0
    for piece in pieces:
        if len(piece) + 1 > room_bytes:
            raise LabError(
                f"an item of {len(piece)} bytes does not fit into a record of {room_bytes} bytes"
            )
        if not groups or len(piece) + 1 > room:
            groups.append([])
            room = room_bytes
        groups[-1].append(piece)
        room -= len(piece) + 1
    return groups
