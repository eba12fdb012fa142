"""When the topics of a day speak: at the story's start, and shortly after each local midnight."""

from datetime import date

import numpy as np

from station_sim.streams.encoding import MS_PER_DAY, UTC_PLUS_8_MS
from station_sim.streams.noise import Ints
from station_sim.streams.schedule import Entity, Schedule, grid, joined
from station_sim.streams.voice import Voice

WITHIN_MS = 300_000
"""Stations' turns come within this long after midnight."""


def daily_schedule(voice: Voice, topic: str, begin_ms: int, end_ms: int) -> Schedule:
    """One record a day."""
    midnight_ms = -(voice.epoch_ms + UTC_PLUS_8_MS) % MS_PER_DAY
    phase_ms = midnight_ms + voice.phase_ms(topic, "", WITHIN_MS)
    due_ms = grid(phase_ms, MS_PER_DAY, begin_ms, end_ms)
    first: Ints = np.array([0] if begin_ms <= 0 < end_ms else [], dtype=np.int64)
    return joined([Entity("day")], [np.unique(np.concatenate((first, due_ms)))], MS_PER_DAY)


def day_of(voice: Voice, due_ms: int) -> date:
    """The local day of a story instant."""
    days = (voice.epoch_ms + due_ms + UTC_PLUS_8_MS) // MS_PER_DAY
    return date.fromordinal(date(1970, 1, 1).toordinal() + int(days))
