"""REAL-STATION-DATA: one station's power every 15 seconds, at the station's own phase.

Beyond the reference's three fields a record has `totalEnergy` (kWh delivered since the story's
start) and `chargingGuns`.
"""

import numpy as np

from station_sim.streams import encoding
from station_sim.streams.imperfections import Cadence
from station_sim.streams.schedule import Entity, Schedule, regular
from station_sim.streams.voice import Draws, Voice, seconds

TOPIC = "REAL-STATION-DATA"
CADENCE = Cadence.QUARTER
PERIOD_MS = 15_000


def schedule(voice: Voice, begin_ms: int, end_ms: int) -> Schedule:
    """One record each 15 s."""
    phase_ms = voice.phase_ms(TOPIC, "", PERIOD_MS)
    return regular([Entity("station")], [phase_ms], PERIOD_MS, begin_ms, end_ms)


def values(voice: Voice, due: Schedule, draws: Draws) -> list[bytes]:
    """Power of all guns, their energy, how many give any."""
    times_s = seconds(due.due_ms)
    kw = np.zeros(len(due))
    charging = np.zeros(len(due), dtype=np.int64)
    for session in voice.story.sessions(times_s[0], np.nextafter(times_s[-1], np.inf)):
        each = session.kw(times_s)
        kw += each
        charging += each > 0
    fields: dict[str, bytes | encoding.Column] = {
        "stationId": encoding.fixed(voice.site.station_id),
        "timestamp": encoding.times(voice.stamps_ms(due)),
        "totalPower": encoding.numbers(draws.read(kw, 1)),
        "totalEnergy": encoding.numbers(draws.rounded(voice.energy.kwh(times_s), 2)),
        "chargingGuns": encoding.numbers(charging),
    }
    return encoding.records(fields, len(due))
