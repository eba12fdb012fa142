"""Writes gaps to the log and keeps the newest for `health()`. What a gap is lives in `gaps`."""

import logging
from collections import deque

from data_analysis.gaps import GapEvent

logger = logging.getLogger(__name__)

GAPS_SHOWN = 100
"""Newest gaps that are kept."""


class GapLog:
    """The gaps of one service."""

    def __init__(self) -> None:
        self.newest: deque[GapEvent] = deque(maxlen=GAPS_SHOWN)

    def write(self, gap: GapEvent) -> None:
        """Log a gap and keep it."""
        self.newest.append(gap)
        logger.warning(
            "gap in %s partition %d: %d offsets from %d to before %d are lost (%s, time span %s s)",
            gap.topic,
            gap.partition,
            gap.lost,
            gap.start_offset,
            gap.end_offset,
            gap.cause,
            "unknown" if gap.time_span_seconds is None else f"{gap.time_span_seconds:.1f}",
        )
