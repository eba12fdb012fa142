"""SCHEDULE-DEVICE-METER: what comes from the grid, every five minutes; negative is export.

`meterPower` and `activePower` are the same reading under both names in use; the leading r of
`rmeterLimitPower` is on the wire.
"""

import math

import numpy as np

from station_sim.streams import encoding
from station_sim.streams.imperfections import Cadence
from station_sim.streams.noise import Ints
from station_sim.streams.schedule import Entity, Schedule, regular
from station_sim.streams.voice import Draws, Voice, seconds

TOPIC = "SCHEDULE-DEVICE-METER"
CADENCE = Cadence.FIVE_MINUTES
PERIOD_MS = 300_000
READ_WITHIN_MS = 20_000
"""Meters are read in turn, all within this long after each five minutes."""

REACTIVE_SHARE = math.tan(math.acos(0.98))
"""Reactive over active power, at the power factor of charging modules above half load."""


def schedule(voice: Voice, begin_ms: int, end_ms: int) -> Schedule:
    """One record in five minutes; none while the meter is out of order."""
    phase_ms = voice.phase_ms(TOPIC, "", READ_WITHIN_MS)
    due = regular([Entity(voice.site.meter_id)], [phase_ms], PERIOD_MS, begin_ms, end_ms)
    works = ~_is_broken(voice, due.due_ms)
    return Schedule(due.entities, due.which[works], due.due_ms[works], due.period_ms[works])


def values(voice: Voice, due: Schedule, draws: Draws) -> list[bytes]:
    """Power, its limit, reactive power and the counter."""
    times_s = seconds(due.due_ms)
    kw = draws.read(voice.story.meter_kw(times_s), 1)
    active = encoding.numbers(kw)
    fields: dict[str, bytes | encoding.Column] = {
        "stationId": encoding.fixed(voice.site.station_id),
        "meterId": encoding.fixed(voice.site.meter_id),
        "meterPower": active,
        "rmeterLimitPower": encoding.fixed(round(voice.site.grid_limit_kw, 1)),
        "activePower": active,
        "reactivePower": encoding.numbers(draws.read(np.abs(kw) * REACTIVE_SHARE, 1)),
        "totalActiveEnergy": encoding.numbers(draws.rounded(voice.story.meter_kwh(times_s), 2)),
    }
    return encoding.records(fields, len(due))


def _is_broken(voice: Voice, due_ms: Ints) -> "np.typing.NDArray[np.bool_]":
    broken = np.zeros(len(due_ms), dtype=bool)
    if len(due_ms):
        times_s = seconds(due_ms)
        for fault in voice.story.faults(times_s[0], float(np.nextafter(times_s[-1], np.inf))):
            if fault.part == "meter":
                broken |= (fault.begin_s <= times_s) & (times_s < fault.end_s)
    return broken
