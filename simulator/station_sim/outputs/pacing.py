"""How fast records go out: as fast as they can, or so many story seconds each second.

Only decides and counts; sleeping is done by whoever sends.
"""

import time
from collections.abc import Iterable, Iterator

from station_sim.streams.record import Record

RECORDS_PER_WRITE = 2_000
NAP_S = 0.02
"""Records due within such a span go out together: one write for each would be slow."""


def portions(records: Iterable[Record], pace: float | None) -> Iterator[tuple[float, list[Record]]]:
    """Records in portions, each with the seconds to wait before it is sent.

    Without a pace there is nothing to wait for. `pace` is in story seconds a second; whoever
    lags behind catches up.
    """
    portion: list[Record] = []
    began = time.monotonic()
    until_ms = 0.0
    for record in records:
        if portion and (len(portion) == RECORDS_PER_WRITE or (pace and record.sent_ms >= until_ms)):
            yield _wait_s(portion, pace, began), portion
            portion = []
        if pace and not portion:
            until_ms = record.sent_ms + NAP_S * pace * 1000
        portion.append(record)
    if portion:
        yield _wait_s(portion, pace, began), portion


def _wait_s(portion: list[Record], pace: float | None, began: float) -> float:
    if not pace:
        return 0.0
    return max(0.0, portion[0].sent_ms / 1000 / pace - (time.monotonic() - began))
