"""SCHEDULE-DEVICE-HOST-DCDC: the 20 DC modules of a host, together what its guns take.

`dcdcPower` and `dcOutputPower` are the same power, under both names in use.
"""

import numpy as np

from station_sim.streams import encoding
from station_sim.streams.imperfections import Cadence
from station_sim.streams.noise import Floats
from station_sim.streams.schedule import Schedule
from station_sim.streams.topics.host_cadence import host_pieces, host_schedule
from station_sim.streams.voice import Draws, Voice, by_entity, seconds
from station_sim.world.efficiency import module_kw
from station_sim.world.site import MODULES

TOPIC = "SCHEDULE-DEVICE-HOST-DCDC"
CADENCE = Cadence.SECOND
ON, OFF = b'"01"', b'"00"'
BUS_VOLTS = 400.0
"""Where no gun's pack sets the voltage (an estimate)."""

TURN_MS = 86_400_000
"""How long the same module is the first to be switched on; then it is the next one's turn."""


def schedule(voice: Voice, begin_ms: int, end_ms: int) -> Schedule:
    """Each second while charging, else every 15 s."""
    return host_schedule(voice, TOPIC, begin_ms, end_ms)


def values(voice: Voice, due: Schedule, draws: Draws) -> list[bytes]:
    """Status, power, current and voltage of every module."""
    times_s = seconds(due.due_ms)
    kw, volts = np.zeros(len(due)), np.full(len(due), BUS_VOLTS)
    places = due.slices()
    for session in voice.story.sessions(times_s.min(), float(np.nextafter(times_s.max(), np.inf))):
        place = places[voice.site.guns[session.gun - 1].host]
        at_s = times_s[place]
        each = session.kw(at_s)
        kw[place] += each
        volts[place] = np.where(each > 0, session.volts(at_s), volts[place])
    modules_kw = np.round(_dealt(voice, due, draws.read(kw, 1)), 1)
    is_on = modules_kw > 0
    module_volts = np.where(is_on, draws.read(volts, 1)[:, None], 0.0)
    amps = np.divide(modules_kw * 1000.0, module_volts, out=np.zeros_like(modules_kw), where=is_on)
    power = encoding.rows(modules_kw)
    fields: dict[str, bytes | encoding.Column] = {
        "stationId": encoding.fixed(voice.site.station_id),
        "hostCode": by_entity(due, host_pieces(voice)),
        "dcWorkStatus": _statuses(is_on),
        "dcdcPower": power,
        "dcOutputPower": power,
        "dcOutputCurrent": encoding.rows(np.round(amps, 1)),
        "dcOutputVoltage": encoding.rows(module_volts),
    }
    return encoding.records(fields, len(due))


def _dealt(voice: Voice, due: Schedule, kw: Floats) -> Floats:
    """Hosts' power on their modules; whose turn it is to be the first changes daily."""
    found = np.empty((len(due), MODULES))
    turns = due.due_ms // TURN_MS
    for entity, place in zip(due.entities, due.slices(), strict=True):
        rated_kw = voice.site.hosts[entity.part].rated_kw
        for turn in np.unique(turns[place]).tolist():
            chosen = place.start + np.flatnonzero(turns[place] == turn)
            found[chosen] = module_kw(kw[chosen], rated_kw, first=turn % MODULES)
    return found


def _statuses(is_on: "np.typing.NDArray[np.bool_]") -> encoding.Column:
    """Lists of codes; the few patterns that occur are written once."""
    patterns = is_on @ (1 << np.arange(MODULES))
    found, which = np.unique(patterns, return_inverse=True)
    lists = [
        b"[" + b",".join(ON if pattern >> place & 1 else OFF for place in range(MODULES)) + b"]"
        for pattern in found.tolist()
    ]
    return encoding.picked(lists, which)
