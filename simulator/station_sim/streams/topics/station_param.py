"""SCHEDULE-STATION-PARAM: what every station is, as bare lists, when the story starts.

Longitude and latitude stand there under both spellings in use. Nothing of it changes later.
"""

from collections.abc import Sequence

import orjson

from station_sim.streams.imperfections import Cadence
from station_sim.streams.packing import pack
from station_sim.streams.topics.network_record import NetworkRecord
from station_sim.streams.voice import Voice
from station_sim.world.profile import Profile
from station_sim.world.site import StationSite

TOPIC = "SCHEDULE-STATION-PARAM"
CADENCE = Cadence.HOURLY


def due_ms(profile: Profile, begin_ms: int, end_ms: int) -> list[int]:
    """Once, at the start."""
    return [0] if begin_ms <= 0 < end_ms else []


def records(voices: Sequence[Voice], at_ms: int, limit_bytes: int) -> list[NetworkRecord]:
    """All stations, in as few records as the limit allows."""
    items = [(each.site.station_id, [orjson.dumps(_item(each.site))]) for each in voices]
    return [
        NetworkRecord(at_ms, part, b"[" + b",".join(packed.items) + b"]", packed.stations)
        for part, packed in enumerate(pack(items, 2, limit_bytes))
    ]


def _item(site: StationSite) -> dict[str, object]:
    powers = [f"{site.station_id[-6:]}{number:02d}" for number in range(len(site.hosts))]
    return {
        "stationId": site.station_id,
        "stationName": site.name,
        "stationLng": site.longitude,
        "stationLat": site.latitude,
        "lng": site.longitude,
        "lat": site.latitude,
        "stationTemp": site.temperature_c,
        "gunNum": len(site.guns),
        "gridCapacity": site.told_capacity_kva,
        "meterId": site.meter_id,
        "power": {"powerIds": powers},
        "powerNum": len(powers),
        "normalCap": round(site.rated_kw, 1),
        "totalPower": round(site.rated_kw, 1),
        "hostCode": [host.code for host in site.hosts],
    }
