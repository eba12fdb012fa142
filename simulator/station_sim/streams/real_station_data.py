"""REAL-STATION-DATA: one station's power every 15 seconds, at the station's own phase.

Beyond the reference's three fields a record has `totalEnergy` (kWh delivered since the story's
start) and `chargingGuns`. Quantised as meters do: power to 0.1 kW, energy to 0.01 kWh.
"""

from collections.abc import Generator, Sequence

import simpy

from station_sim.streams.emission import Emission, Emit
from station_sim.world.profile import Profile, wire_time
from station_sim.world.random_streams import random_stream
from station_sim.world.station import Station

TOPIC = "REAL-STATION-DATA"
PERIOD_MS = 15_000


def run(env: simpy.Environment, profile: Profile, stations: Sequence[Station], emit: Emit) -> None:
    """Start a sampling process for every station."""
    for station in stations:
        env.process(_samples(env, profile, station, emit))


def phase_ms(profile: Profile, station: Station) -> int:
    """When in each 15 s a station samples itself: 0 to 14,999 ms after the story's start."""
    return random_stream(profile.seed, station.entity, "phase").randrange(PERIOD_MS)


def _samples(
    env: simpy.Environment, profile: Profile, station: Station, emit: Emit
) -> Generator[simpy.Event, None, None]:
    due_ms = phase_ms(profile, station)
    stations = (station.station_id,)
    while True:
        due_s = due_ms / 1000
        yield env.timeout(max(0.0, due_s - env.now))
        record_ms = profile.epoch_ms + due_ms
        value = _value(station, record_ms)
        emit(Emission(due_s, TOPIC, station.station_id, value, stations, record_ms))
        due_ms += PERIOD_MS


def _value(station: Station, record_ms: int) -> dict[str, object]:
    return {
        "stationId": station.station_id,
        "timestamp": wire_time(record_ms),
        "totalPower": round(station.total_power_kw(), 1),
        "totalEnergy": round(station.total_energy_kwh(), 2),
        "chargingGuns": station.charging_guns,
    }
