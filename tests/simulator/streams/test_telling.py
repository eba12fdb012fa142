"""A network's records: the same whatever the chunks, the other topics and the other stations."""

import itertools
from collections import Counter
from collections.abc import Collection
from functools import cache
from typing import Any

import orjson
import pytest
from tests.simulator.streams.fake_story import fake_profile, fake_stories

from station_sim.errors import LabError
from station_sim.streams.imperfections import Imperfections
from station_sim.streams.record import Record
from station_sim.streams.telling import Telling
from station_sim.streams.topics.registry import NETWORK_TOPICS, STATION_TOPICS

HOUR_MS = 3_600_000
NOT_OF_THE_FAKE = ("SCHEDULE-CAR-PRICE", "SCHEDULE-ENVIRONMENT-WEATHER")
TOPICS = tuple(
    each.TOPIC for each in (*NETWORK_TOPICS, *STATION_TOPICS) if each.TOPIC not in NOT_OF_THE_FAKE
)
REAL, ORDER, GUN = "REAL-STATION-DATA", "SCHEDULE-CAR-ORDER", "SCHEDULE-DEVICE-GUN"
DCDC, ACDC = "SCHEDULE-DEVICE-HOST-DCDC", "SCHEDULE-DEVICE-HOST-ACDC"
HOURLY = "SCHEDULE-STATION-REALTIME-DATA"
ROUGH = Imperfections(outage_every_days=0.01).times(4.0)


def told(
    stations: int = 2,
    *,
    hours: float = 0.7,
    topics: Collection[str] = TOPICS,
    layer: Imperfections = ROUGH,
    chunk_ms: int = 600_000,
    seed: int = 1,
    **more: Any,
) -> list[Record]:
    telling = Telling(
        fake_stories(stations),
        fake_profile(seed),
        topics=topics,
        layer=layer,
        chunk_ms=chunk_ms,
        **more,
    )
    return list(telling.records(round(hours * HOUR_MS)))


@cache
def rough() -> list[Record]:
    return told()


@cache
def perfect() -> list[Record]:
    return told(hours=2.2, layer=Imperfections.none())


def values(records: list[Record], topic: str) -> list[dict[str, Any]]:
    return [orjson.loads(each.value) for each in records if each.topic == topic]


def test_every_topic_speaks() -> None:
    assert set(TOPICS) == {each.topic for each in perfect()}


@pytest.mark.parametrize("chunk_ms", [41_777, HOUR_MS])
def test_chunks_show_in_nothing(chunk_ms: int) -> None:
    assert rough() == told(chunk_ms=chunk_ms)


def test_a_topic_less_changes_no_other() -> None:
    for left_out in (REAL, ORDER, HOURLY):
        topics = [each for each in TOPICS if each != left_out]
        assert told(topics=topics) == [each for each in rough() if each.topic != left_out]


def test_a_station_more_changes_no_other() -> None:
    known = {each.key for each in rough() if each.key}
    more = [each for each in told(3) if each.key in known]
    assert more == [each for each in rough() if each.key]


def test_another_seed_says_something_else() -> None:
    assert rough() != told(seed=2)


def test_records_go_out_in_the_order_of_time() -> None:
    sent = [each.sent_ms for each in rough()]
    assert sorted(sent) == sent
    assert all(each.sent_ms >= each.due_ms for each in rough())


def test_without_imperfections_everything_goes_out_when_it_is_due() -> None:
    assert all(each.sent_ms == each.due_ms and each.fate == "" for each in perfect())
    assert all(each.timestamp_ms - fake_profile().epoch_ms == each.due_ms for each in perfect())


def test_all_fates_occur_in_a_rough_world() -> None:
    fates = {each.fate for each in rough()}
    assert {"", "late", "very-late", "swapped", "duplicate", "malformed", "replayed"} == fates


def test_what_arrives_unspoilt_is_what_a_perfect_wire_says_but_for_noise_and_clocks() -> None:
    due = Counter((each.topic, each.key, each.due_ms) for each in told(layer=Imperfections.none()))
    arrived = Counter((each.topic, each.key, each.due_ms) for each in rough())
    assert not set(arrived) - set(due)


def test_an_order_speaks_each_second_and_tells_its_end_last() -> None:
    orders: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for each in perfect():
        if each.topic == ORDER:
            value = orjson.loads(each.value)
            orders.setdefault(value["transactionSerialNo"], []).append((each.due_ms, value))
    finished = [each for each in orders.values() if each[-1][1]["endChargeTime"] < "2070"]
    assert 2 * 6 * 2 == len(finished)
    for order in finished:
        times = [due_ms for due_ms, _ in order]
        assert 1201 == len(order)
        assert {1000} == {after - before for before, after in itertools.pairwise(times)}
        ends = [value["endChargeTime"] for _, value in order]
        assert {"2070-01-01 00:00:00"} == set(ends[:-1])
        assert 0.0 == order[-1][1]["outputPower"]
        assert 80.0 == order[-1][1]["soc"]


def test_hosts_speak_each_second_while_charging_else_every_15_seconds() -> None:
    hosts: dict[str, list[tuple[int, float]]] = {}
    for each in perfect():
        if each.topic == ACDC:
            value = orjson.loads(each.value)
            hosts.setdefault(value["hostCode"], []).append((each.due_ms, value["acPower"]))
    for host in hosts.values():
        for (at_ms, kw), (after_ms, after_kw) in itertools.pairwise(host):
            assert after_ms - at_ms <= (1000 if kw > 1 and after_kw > 1 else 15_000)
        idle = [at_ms for at_ms, kw in host if kw < 1]
        assert {15_000} == {b - a for a, b in itertools.pairwise(idle) if b - a < 30_000}


def test_modules_sum_up_to_the_orders_of_their_host() -> None:
    guns: dict[tuple[str, int], float] = {}
    for value in values(perfect(), DCDC)[::500]:
        assert {20} == {len(value[name]) for name in value if isinstance(value[name], list)}
        on = [kw > 0 for kw in value["dcdcPower"]]
        assert on == [code == "01" for code in value["dcWorkStatus"]]
    for each in perfect():
        if each.topic == DCDC and each.due_ms % 7 == 0:
            value = orjson.loads(each.value)
            guns[value["hostCode"], each.due_ms] = sum(value["dcdcPower"])
    assert any(kw > 100 for kw in guns.values())
    assert all(kw % 12 < 1.01 or kw % 12 > 10.99 for kw in guns.values())


def test_the_hourly_push_holds_equal_lists_in_no_order() -> None:
    pushes = values(told(hours=5.1, layer=Imperfections(), topics=[HOURLY]), HOURLY)
    assert 5 == len(pushes)
    items = pushes[-1]["realTimeData"]
    assert 5 * 4 >= len(items) >= 17
    hours = [each["sendTime"] for each in items]
    assert sorted(hours) != hours
    orders = set()
    for item in items:
        power = item["gunPower"]
        assert 1 == len({len(each) for each in power.values()})
        orders.add(tuple(power["gunNo"]))
    assert len(orders) > 1
    before = {orjson.dumps(each) for each in pushes[-2]["realTimeData"]}
    assert before <= {orjson.dumps(each) for each in items}


def test_a_record_over_the_limit_is_split_by_station() -> None:
    records = told(3, hours=3.1, topics=[HOURLY], layer=Imperfections.none(), limit_bytes=2500)
    last = [each for each in records if each.due_ms == records[-1].due_ms]
    assert [("188154092784565" + f"{number:04d}",) for number in range(3)] == [
        each.stations for each in last
    ]
    assert all(len(each.value) <= 2500 for each in records)


def test_an_item_over_the_limit_is_refused_with_the_numbers() -> None:
    with pytest.raises(LabError, match=r"an item of \d+ bytes does not fit .* of 98 bytes"):
        told(1, topics=["SCHEDULE-STATION-PARAM"], limit_bytes=100)


def test_total_energy_grows_by_the_power_told() -> None:
    first = [each for each in values(perfect(), REAL) if each["stationId"].endswith("0000")]
    told_kwh = sum(each["totalPower"] * 15 / 3600 for each in first)
    assert told_kwh == pytest.approx(first[-1]["totalEnergy"], rel=0.03)
    assert all(a["totalEnergy"] <= b["totalEnergy"] for a, b in itertools.pairwise(first))


def test_a_fault_is_told_when_it_begins_and_when_it_ends() -> None:
    errors = values(perfect(), "SCHEDULE-DEVICE-ERROR")
    assert [("E101", 1), ("E101", 1), ("0000", 0), ("0000", 0)] == [
        (each["errorCode"], each["terminalError"]) for each in errors
    ]


def test_clocks_of_hosts_are_off_and_a_perfect_layer_sets_them_right() -> None:
    def shift(record: Record) -> int:
        return record.timestamp_ms - fake_profile().epoch_ms - record.due_ms

    assert {0} == {shift(each) for each in perfect()}
    shifts = {shift(each) for each in rough() if each.topic == DCDC}
    assert 4 == len(shifts)
    assert {0} == {shift(each) for each in rough() if each.topic == REAL}


def test_unknown_topics_are_refused() -> None:
    with pytest.raises(LabError, match="no stream for NEWS; there are SCHEDULE-STATION-PARAM"):
        told(topics=["NEWS"])


def test_malformed_records_are_told_as_such() -> None:
    layer = Imperfections.none().times(1.0)
    assert not [each for each in told(layer=layer) if each.fate == "malformed"]
    spoilt = [each for each in rough() if each.fate == "malformed"]
    assert spoilt
    assert all(_is_wrong(each.value) for each in spoilt)


def _is_wrong(value: bytes) -> bool:
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        return True
    return not isinstance(found, dict) or not {"stationId", "results"} & set(found) or _no_id(found)


def _no_id(found: dict[str, Any]) -> bool:
    return all("station_id" not in each for each in found.get("results", ()))
