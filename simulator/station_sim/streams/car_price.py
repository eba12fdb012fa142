"""SCHEDULE-CAR-PRICE: every station's 48 half-hour codes and ten prices.

Sent when the story starts and at 00:00 on the 1st of each month. One item per station and record;
left out so far: earlier days and other tariff versions beside the one that holds.
"""

from collections.abc import Generator, Sequence
from datetime import datetime

import simpy

from station_sim.streams.emission import STATIONS_PER_RECORD_MAX, Emission, Emit
from station_sim.world.profile import Profile, wire_time
from station_sim.world.station import Station
from station_sim.world.tariffs import FLAT, PEAK, SHARP, VALLEY, monthly_tariff

TOPIC = "SCHEDULE-CAR-PRICE"
PERIOD_NAMES = {"sharp": SHARP, "peak": PEAK, "flat": FLAT, "ebb": VALLEY}


def run(env: simpy.Environment, profile: Profile, stations: Sequence[Station], emit: Emit) -> None:
    """Start the process that tells all tariffs, at most 200 stations a record."""
    env.process(_tell(env, profile, stations, emit))


def price_item(
    profile: Profile, station: Station, year: int, month: int, sent: str
) -> dict[str, object]:
    """A station's item of the `fee` list for a month; prices in CNY/kWh, `sent` as on the wire."""
    tariff = monthly_tariff(profile.seed, station.entity, year, month)
    hosts = station.parameters.host_codes
    item: dict[str, object] = {
        "stationId": station.station_id,
        "hostCode": hosts[0] if hosts else "",
        "dialNo": tariff.dial_no,
        "sendTime": sent,
    }
    item.update((f"feeNo{number}", code) for number, code in enumerate(tariff.codes, start=1))
    for name, code in PERIOD_NAMES.items():
        item[f"{name}ElectricFee"] = tariff.energy_price[code]
        item[f"{name}ServerFee"] = tariff.service_fee[code]
    item.update(otherElectricFee=0.0, otherServerFee=0.0, lossRate=1)
    return item


def _tell(
    env: simpy.Environment, profile: Profile, stations: Sequence[Station], emit: Emit
) -> Generator[simpy.Event, None, None]:
    local = profile.start
    while True:
        due_s = profile.story_s(local)
        yield env.timeout(max(0.0, due_s - env.now))
        for first in range(0, len(stations), STATIONS_PER_RECORD_MAX):
            told = stations[first : first + STATIONS_PER_RECORD_MAX]
            emit(_emission(profile, told, local, due_s))
        local = _next_first(local)


def _emission(
    profile: Profile, stations: Sequence[Station], local: datetime, due_s: float
) -> Emission:
    record_ms = profile.record_ms(due_s)
    sent = wire_time(record_ms)
    fee = [price_item(profile, each, local.year, local.month, sent) for each in stations]
    ids = tuple(each.station_id for each in stations)
    return Emission(due_s, TOPIC, None, {"fee": fee}, ids, record_ms)


def _next_first(local: datetime) -> datetime:
    """00:00 on the 1st of the month after `local`."""
    year, month = (local.year + 1, 1) if local.month == 12 else (local.year, local.month + 1)
    return local.replace(year=year, month=month, day=1, hour=0, minute=0, second=0, microsecond=0)
