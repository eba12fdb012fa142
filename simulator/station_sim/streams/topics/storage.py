"""SCHEDULE-DEVICE-STORAGE: every battery unit each 15 seconds, at its own phase.

Power is positive when the unit discharges, current likewise.
"""

import numpy as np

from station_sim.streams import encoding
from station_sim.streams.imperfections import Cadence
from station_sim.streams.schedule import Entity, Schedule, regular
from station_sim.streams.voice import Draws, Voice, by_entity, seconds

TOPIC = "SCHEDULE-DEVICE-STORAGE"
CADENCE = Cadence.QUARTER
PERIOD_MS = 15_000


def schedule(voice: Voice, begin_ms: int, end_ms: int) -> Schedule:
    """One record per unit and 15 s, units at phases apart."""
    units = voice.site.storage
    entities = [
        Entity(unit.code, number, _host(voice, unit.host_code)) for number, unit in enumerate(units)
    ]
    first = voice.phase_ms(TOPIC, "", PERIOD_MS)
    step = PERIOD_MS // max(len(units), 1)
    phases = [(first + number * step) % PERIOD_MS for number in range(len(units))]
    return regular(entities, phases, PERIOD_MS, begin_ms, end_ms)


def values(voice: Voice, due: Schedule, draws: Draws) -> list[bytes]:
    """State of charge and health in whole percent, current, power, temperatures to half degrees."""
    times_s = seconds(due.due_ms)
    kw, soc, soh, amps, warm_c, cool_c = (np.empty(len(due)) for _ in range(6))
    energy = voice.energy_of_site
    for entity, place in zip(due.entities, due.slices(), strict=True):
        unit, at_s = entity.part, times_s[place]
        kw[place] = voice.story.storage_kw(unit, at_s)
        soc[place] = voice.story.storage_soc(unit, at_s)
        soh[place] = energy.storage_soh(unit, at_s)
        amps[place] = energy.storage_a(unit, at_s)
        warm_c[place], cool_c[place] = energy.storage_c(unit, at_s)
    codes = [
        encoding.fragment({"storageCode": unit.code, "hostCode": unit.host_code})
        for unit in voice.site.storage
    ]
    fields: dict[str, bytes | encoding.Column] = {
        "stationId": encoding.fixed(voice.site.station_id),
        "": by_entity(due, codes),
        "batteryGroupSoc": encoding.numbers(np.rint(soc).astype(np.int64)),
        "batteryGroupSoh": encoding.numbers(np.rint(soh).astype(np.int64)),
        "batteryGroupElectric": encoding.numbers(draws.read(amps, 1)),
        "batteryGroupOutPower": encoding.numbers(draws.read(kw, 1)),
        "maxTemperature": encoding.numbers(draws.halves(warm_c)),
        "minTemperature": encoding.numbers(draws.halves(cool_c)),
    }
    return encoding.records(fields, len(due))


def _host(voice: Voice, code: str) -> int | None:
    codes = [host.code for host in voice.site.hosts]
    return codes.index(code) if code in codes else None
