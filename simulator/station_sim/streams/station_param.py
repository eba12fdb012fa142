"""SCHEDULE-STATION-PARAM: what every station is, as bare lists, when the story starts.

Longitude and latitude stand there under both spellings in use. Left out so far: later changes.
"""

from collections.abc import Generator, Sequence

import simpy

from station_sim.streams.emission import STATIONS_PER_RECORD_MAX, Emission, Emit
from station_sim.world.profile import Profile
from station_sim.world.station import Station

TOPIC = "SCHEDULE-STATION-PARAM"


def run(env: simpy.Environment, profile: Profile, stations: Sequence[Station], emit: Emit) -> None:
    """Start the process that tells all stations' parameters, at most 200 stations a record."""
    env.process(_tell(env, profile, stations, emit))


def _tell(
    env: simpy.Environment, profile: Profile, stations: Sequence[Station], emit: Emit
) -> Generator[simpy.Event, None, None]:
    yield env.timeout(0)
    for first in range(0, len(stations), STATIONS_PER_RECORD_MAX):
        told = stations[first : first + STATIONS_PER_RECORD_MAX]
        ids = tuple(station.station_id for station in told)
        emit(Emission(0.0, TOPIC, None, list(map(_item, told)), ids, profile.epoch_ms))


def _item(station: Station) -> dict[str, object]:
    it = station.parameters
    return {
        "stationId": it.station_id,
        "stationName": it.name,
        "stationLng": it.longitude,
        "stationLat": it.latitude,
        "lng": it.longitude,
        "lat": it.latitude,
        "stationTemp": it.temperature_c,
        "gunNum": len(station.guns),
        "gridCapacity": it.grid_capacity_kva,
        "meterId": it.meter_id,
        "power": {"powerIds": list(it.power_ids)},
        "powerNum": len(it.power_ids),
        "normalCap": station.rated_kw,
        "totalPower": station.rated_kw,
        "hostCode": list(it.host_codes),
    }
