"""SCHEDULE-DEVICE-HOST-ACDC: what a host takes from the station's bus. Three phases at 380 V."""

import math

import numpy as np

from station_sim.streams import encoding
from station_sim.streams.imperfections import Cadence
from station_sim.streams.schedule import Schedule
from station_sim.streams.topics.host_cadence import host_pieces, host_schedule
from station_sim.streams.voice import Draws, Voice, by_entity, seconds

TOPIC = "SCHEDULE-DEVICE-HOST-ACDC"
CADENCE = Cadence.SECOND
AC_VOLTS, POWER_FACTOR = 380.0, 0.98
STOPPED, RUNNING, FAULT = 0, 1, 2
FAULTY_PARTS = ("host", "ac")


def schedule(voice: Voice, begin_ms: int, end_ms: int) -> Schedule:
    """Each second while charging, else every 15 s."""
    return host_schedule(voice, TOPIC, begin_ms, end_ms)


def values(voice: Voice, due: Schedule, draws: Draws) -> list[bytes]:
    """Power, current, voltage and status: stopped, running, fault."""
    times_s = seconds(due.due_ms)
    ac_kw, status = np.empty(len(due)), np.full(len(due), STOPPED)
    for entity, place in zip(due.entities, due.slices(), strict=True):
        ac_kw[place] = voice.story.host_ac_kw(entity.part, times_s[place])
    status[due.period_ms == 1000] = RUNNING
    _mark_faults(voice, due, status)
    amps = ac_kw * 1000.0 / (math.sqrt(3.0) * AC_VOLTS * POWER_FACTOR)
    fields: dict[str, bytes | encoding.Column] = {
        "stationId": encoding.fixed(voice.site.station_id),
        "hostCode": by_entity(due, host_pieces(voice)),
        "acPower": encoding.numbers(draws.read(ac_kw, 1)),
        "acCurrent": encoding.numbers(draws.read(amps, 1)),
        "acVoltage": encoding.numbers(draws.read(np.full(len(due), AC_VOLTS), 1)),
        "acWorkStatus": encoding.numbers(status),
    }
    return encoding.records(fields, len(due))


def _mark_faults(voice: Voice, due: Schedule, status: "np.typing.NDArray[np.int64]") -> None:
    times_s, places = seconds(due.due_ms), due.slices()
    for fault in voice.story.faults(times_s.min(), float(np.nextafter(times_s.max(), np.inf))):
        if fault.part in FAULTY_PARTS:
            place = places[fault.place]
            at_s = times_s[place]
            status[place][(fault.begin_s <= at_s) & (at_s < fault.end_s)] = FAULT
