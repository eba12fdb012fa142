"""What the streams say: envelopes, fields, times, and that the seed alone decides the bytes."""

import itertools
import os
import subprocess
import sys

import orjson
import pytest

from station_sim.errors import LabError
from station_sim.streams.emission import Emission
from station_sim.world.charging_network import TOPICS, World
from station_sim.world.profile import Profile

HOUR_S, DAY_S = 3600.0, 86_400.0
REAL, PARAM, PRICE, CALENDAR = (
    "REAL-STATION-DATA",
    "SCHEDULE-STATION-PARAM",
    "SCHEDULE-CAR-PRICE",
    "SCHEDULE-ENVIRONMENT-CALENDAR",
)
FEES = [
    f"{period}{kind}Fee"
    for period in ("sharp", "peak", "flat", "ebb", "other")
    for kind in ("Electric", "Server")
]


def emissions(profile: Profile, until_s: float, topics: tuple[str, ...] = TOPICS) -> list[Emission]:
    world = World(profile)
    told: list[Emission] = []
    world.run_streams(told.append, topics)
    world.run(until_s)
    return told


def by_topic(told: list[Emission], topic: str) -> list[Emission]:
    return [each for each in told if each.topic == topic]


def test_every_topic_has_its_envelope() -> None:
    told = emissions(Profile(stations=3), 20.0)
    (param,), (price,), (calendar,) = (by_topic(told, topic) for topic in (PARAM, PRICE, CALENDAR))
    ids = [item["stationId"] for item in param.value]
    assert list(param.stations) == ids
    assert ids == [item["stationId"] for item in price.value["fee"]]
    assert 365 == len(calendar.value["calendar"])
    assert [None, None, None] == [each.key for each in (param, price, calendar)]
    assert all(19 == len(station) and station.isdigit() for station in ids)


def test_a_price_item_has_48_codes_and_ten_fees() -> None:
    (price,) = by_topic(emissions(Profile(stations=1), 1.0), PRICE)
    (item,) = price.value["fee"]
    codes = [name for name in item if name.startswith("feeNo")]
    assert [f"feeNo{number}" for number in range(1, 49)] == codes
    assert all(isinstance(item[fee], float) for fee in FEES)
    assert "2026-03-01 00:00:00" == item["sendTime"]


def test_prices_come_again_on_the_first_at_midnight() -> None:
    told = emissions(Profile(stations=1), 62 * DAY_S, (PRICE,))
    sent = [each.value["fee"][0]["sendTime"] for each in told]
    assert ["2026-03-01 00:00:00", "2026-04-01 00:00:00", "2026-05-01 00:00:00"] == sent
    assert [0.0, 31 * DAY_S, 61 * DAY_S] == [each.due_s for each in told]


def test_the_calendar_knows_national_day_and_its_make_up_workday() -> None:
    (told,) = by_topic(emissions(Profile(stations=1), 1.0), CALENDAR)
    days = {day["date"]: (day["isHoliday"], day["isWeekend"]) for day in told.value["calendar"]}
    assert (1, 0) == days["2026-10-01"]
    assert (1, 1) == days["2026-10-03"]
    assert (0, 0) == days["2026-10-10"]
    assert (0, 1) == days["2026-10-17"]


def test_a_station_tells_its_power_every_15_seconds_at_its_own_phase() -> None:
    profile = Profile(stations=5)
    told = by_topic(emissions(profile, HOUR_S), REAL)
    phases = set()
    for station in {each.key for each in told}:
        times = [each.timestamp_ms - profile.epoch_ms for each in told if each.key == station]
        assert 240 == len(times)
        assert {15_000} == {after - before for before, after in itertools.pairwise(times)}
        phases.add(times[0])
    assert 5 == len(phases)


def test_a_sample_says_what_the_station_does() -> None:
    profile = Profile(stations=2, seed=3)
    world = World(profile)
    samples = 0

    def check(emission: Emission) -> None:
        nonlocal samples
        (station,) = (each for each in world.stations if each.station_id == emission.key)
        guns_kw = [gun.power_kw(world.env.now) for gun in station.guns]
        assert pytest.approx(sum(guns_kw), abs=0.0501) == emission.value["totalPower"]
        assert emission.value["chargingGuns"] == sum(gun.plan is not None for gun in station.guns)
        assert (station.station_id,) == emission.stations
        samples += 1

    world.run_streams(check, (REAL,))
    world.run(DAY_S)
    assert 2 * 5760 == samples


def test_total_energy_grows_by_the_power_told() -> None:
    told = emissions(Profile(stations=1, seed=3), DAY_S, (REAL,))
    told_kwh = sum(each.value["totalPower"] * 15 / 3600 for each in told)
    assert told[-1].value["totalEnergy"] == pytest.approx(told_kwh, rel=0.01)


def test_unknown_topics_are_refused() -> None:
    with pytest.raises(LabError, match="no stream for NEWS; there are SCHEDULE-STATION-PARAM"):
        World(Profile(stations=1)).run_streams(print, ("NEWS",))


def test_large_networks_are_told_in_several_records() -> None:
    told = emissions(Profile(stations=450, guns_per_station=1), 1.0, (PARAM, PRICE))
    assert [200, 200, 50] * 2 == [len(each.stations) for each in told]


def as_bytes(told: list[Emission]) -> list[bytes]:
    return [orjson.dumps(list(each)) for each in told]


def test_one_station_more_changes_no_other() -> None:
    few, more = (by_topic(emissions(Profile(stations=n), 6 * HOUR_S), REAL) for n in (4, 5))
    known = {each.key for each in few}
    assert as_bytes(few) == as_bytes([each for each in more if each.key in known])


def test_one_topic_less_changes_no_other() -> None:
    everything = by_topic(emissions(Profile(stations=3), HOUR_S), REAL)
    assert as_bytes(everything) == as_bytes(emissions(Profile(stations=3), HOUR_S, (REAL,)))


def test_another_seed_tells_another_story() -> None:
    one, other = (emissions(Profile(stations=2, seed=seed), HOUR_S) for seed in (1, 2))
    assert as_bytes(one) != as_bytes(other)


DIGEST = """
import hashlib, orjson
from station_sim.world.charging_network import World
from station_sim.world.profile import Profile
world, digest = World(Profile(stations=7, seed=5)), hashlib.sha256()
world.run_streams(lambda emission: digest.update(orjson.dumps(list(emission))))
world.run(40_000)
print(digest.hexdigest())
"""


def digest_in_a_process(hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", DIGEST]
    return subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, timeout=60
    ).stdout


def test_the_bytes_are_the_same_in_another_process_and_under_another_hash_seed() -> None:
    assert digest_in_a_process("1") == digest_in_a_process("2")
