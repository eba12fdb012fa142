"""SCHEDULE-DEVICE-GUN: every gun, every 15 seconds; a host asks all its guns at once.

`status` and `gunStatus` are the same code: 0 idle, 1 charging, 2 fault, 3 occupied without power.
"""

from collections import defaultdict

import numpy as np

from station_sim.streams import encoding
from station_sim.streams.imperfections import Cadence
from station_sim.streams.noise import Floats
from station_sim.streams.schedule import Entity, Schedule, regular
from station_sim.streams.voice import Draws, Voice, by_entity, seconds
from station_sim.world.sessions import Session

TOPIC = "SCHEDULE-DEVICE-GUN"
CADENCE = Cadence.QUARTER
PERIOD_MS = 15_000


def schedule(voice: Voice, begin_ms: int, end_ms: int) -> Schedule:
    """One record per gun and 15 s, at its host's phase."""
    hosts = [voice.phase_ms(TOPIC, host.code, PERIOD_MS) for host in voice.site.hosts]
    guns = [Entity(f"gun-{gun.number:03d}", gun, gun.host) for gun in voice.site.guns]
    phases = [hosts[gun.host] for gun in voice.site.guns]
    return regular(guns, phases, PERIOD_MS, begin_ms, end_ms)


def values(voice: Voice, due: Schedule, draws: Draws) -> list[bytes]:
    """Status, power, current and voltage at the gun."""
    site = voice.site
    kw, volts, status = np.zeros(len(due)), np.zeros(len(due)), np.zeros(len(due), dtype=np.int64)
    times_s = seconds(due.due_ms)
    sessions = _by_gun(voice, times_s)
    for entity, place in zip(due.entities, due.slices(), strict=True):
        number, at_s = entity.part.number, times_s[place]
        status[place] = voice.story.gun_status(number, at_s)
        for session in sessions.get(number, ()):
            each = session.kw(at_s)
            kw[place] += each
            volts[place] += np.where(each > 0, session.volts(at_s), 0.0)
    amps = np.divide(kw * 1000.0, volts, out=np.zeros(len(due)), where=volts > 0)
    guns = [
        encoding.fragment({"hostCode": site.hosts[gun.host].code, "gunNo": gun.gun_no})
        for gun in site.guns
    ]
    codes = encoding.numbers(status)
    fields: dict[str, bytes | encoding.Column] = {
        "stationId": encoding.fixed(site.station_id),
        "": by_entity(due, guns),
        "status": codes,
        "gunStatus": codes,
        "outputPower": encoding.numbers(draws.read(kw, 1)),
        "outputCurrent": encoding.numbers(draws.read(amps, 1)),
        "outputVoltage": encoding.numbers(draws.read(volts, 1)),
    }
    return encoding.records(fields, len(due))


def _by_gun(voice: Voice, times_s: Floats) -> dict[int, list[Session]]:
    found: defaultdict[int, list[Session]] = defaultdict(list)
    first_s, last_s = float(times_s.min()), float(times_s.max())
    for session in voice.story.sessions(first_s, float(np.nextafter(last_s, np.inf))):
        found[session.gun].append(session)
    return found
