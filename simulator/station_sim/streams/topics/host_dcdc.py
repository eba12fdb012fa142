"""SCHEDULE-DEVICE-HOST-DCDC: the 20 DC modules of a host, together what its guns take.

`dcdcPower` and `dcOutputPower` are the same power, under both names in use.
"""

import numpy as np

from station_sim.streams import encoding
from station_sim.streams.imperfections import Cadence
from station_sim.streams.noise import Floats, hashed, normals, stream_key
from station_sim.streams.schedule import Schedule
from station_sim.streams.topics.host_cadence import host_pieces, host_schedule
from station_sim.streams.voice import Draws, Voice, by_entity, seconds
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
    rated = np.array([host.rated_kw for host in voice.site.hosts])[due.which]
    places = due.slices()
    for session in voice.story.sessions(times_s.min(), float(np.nextafter(times_s.max(), np.inf))):
        place = places[voice.site.guns[session.gun - 1].host]
        at_s = times_s[place]
        each = session.kw(at_s)
        kw[place] += each
        volts[place] = np.where(each > 0, session.volts(at_s), volts[place])
    modules_kw = _dealt(kw, rated, due.due_ms // TURN_MS)
    is_on = modules_kw > 0
    modules_kw = np.round(modules_kw * _unrest(voice, due), 1) + 0.0
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


def _dealt(kw: Floats, rated_kw: Floats, turns: "np.typing.NDArray[np.int64]") -> Floats:
    """A host's power on as few modules as can give it, alike; whose turn it is goes round."""
    each_kw = rated_kw / MODULES
    busy = np.minimum(np.ceil(kw / np.maximum(each_kw, 1e-9)), MODULES)
    share = kw / np.maximum(busy, 1.0)
    places = (np.arange(MODULES)[None, :] - turns[:, None]) % MODULES
    found: Floats = np.where(places < busy[:, None], share[:, None], 0.0)
    return found


def _unrest(voice: Voice, due: Schedule) -> Floats:
    """Noise of each module: one draw a record and module."""
    if not voice.layer.noise_share:
        return np.ones((len(due), MODULES))
    key = stream_key(voice.seed, voice.site.entity, TOPIC, "modules")
    counters = (due.due_ms * 64 + due.which)[:, None] * MODULES + np.arange(MODULES)[None, :]
    found: Floats = 1.0 + voice.layer.noise_share * normals(hashed(key, counters))
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
