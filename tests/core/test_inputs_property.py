"""Inputs of all topics, by the engine from records and by naive assembly from the same items."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from data_analysis.devices import Devices
from data_analysis.latest import Latest
from data_analysis.seconds import Seconds
from data_analysis.windows import Window
from tests.core.naive_inputs import DEVICES, HOURLY, ORDER, PRICE, NaiveInputs
from tests.core.payloads import CALENDAR, OUTPUT, item, wrapped
from tests.core.rig import TOPICS, Rig, small_topics

STATIONS = ("A", "B")
POWERS = {
    "SCHEDULE-DEVICE-HOST-DCDC": "dcdcPower",
    "SCHEDULE-DEVICE-HOST-ACDC": "acPower",
    "SCHEDULE-DEVICE-STORAGE": "batteryGroupOutPower",
}


@st.composite
def _item(draw: st.DrawFn, topic: str, station: str) -> dict[str, Any]:
    """A good item that is not always the same."""
    value = item(topic, station)
    number = draw(st.integers(0, 2))
    if topic == HOURLY:
        guns = draw(st.permutations(["01", "02", "03"]))[:number]
        powers = [draw(st.sampled_from([0, 1.5, 80.0])) for _ in guns]
        value["sendTime"] = f"2026-03-01 {draw(st.integers(7, 11)):02}:00:00"
        value["hostCode"] = draw(st.sampled_from(["H1", "H2"]))
        value["gunPower"] = {
            "gunNo": guns,
            "outputPowerPerGunAvg": powers,
            "outputPowerPerGunMax": powers[::-1],
        }
        if draw(st.booleans()):
            del value["outputPowerPerStationAvg"]
    elif topic in DEVICES:
        value[DEVICES[topic][1]] = f"device {number}"
        value[POWERS[topic]] = draw(st.integers(0, 1))
    elif topic == ORDER:
        value["transactionSerialNo"] = f"order {number}"
    elif topic == PRICE:
        value["dialNo"] = f"210{number}"
        value["sendTime"] = f"2026-03-0{draw(st.integers(1, 2))} 00:00:00"
    elif topic == OUTPUT:
        value["output"] = {"load_forecast": number, f"more{number}": 1}
    elif topic == CALENDAR:
        value["isHoliday"] = number
    else:
        for name in ("totalPower", "gunNum", "meterPower", "gunNo", "errorLevel", "pvRealDcPower"):
            value[name] = number
        for name in draw(st.lists(st.sampled_from(sorted(value)), max_size=2)):
            if name != "stationId":
                value.pop(name, None)
    return value


@st.composite
def _step(draw: st.DrawFn) -> tuple[str, dict[str, list[Any]], float, float]:
    """A record: its topic, items of each station, its time, and how much later it comes."""
    topic = draw(st.sampled_from(TOPICS))
    stations = draw(st.lists(st.sampled_from(STATIONS), min_size=1, max_size=3))
    items: dict[str, list[Any]] = {}
    for station in stations if topic != CALENDAR else ["A"] * len(stations):
        items.setdefault(station, []).append(draw(_item(topic, station)))
    time = draw(st.sampled_from([10.0, 10.5, 11.0, 11.25, 12.0, 13.0, 20.0]))
    later = draw(st.sampled_from([0.0, 0.0, 0.5, 1.0, 2.0, 400.0, 601.0, 8000.0]))
    return topic, items, time, later


@given(st.lists(_step(), max_size=25))
@settings(max_examples=60, deadline=None)
def test_inputs_of_all_topics_are_those_of_naive_assembly(steps: list[Any]) -> None:
    names = small_topics()
    rig = Rig(names)
    naive = NaiveInputs(names.TOPIC_DETAIL, names.MODULE_DEPENDENCIES, 600)
    known: set[str] = set()
    for topic, items, time, later in steps:
        rig.clock.now += later
        now = rig.clock.now
        if topic != CALENDAR:
            known.update(items)
        naive.put(topic, items, time, now)
        record = wrapped(topic, [each for own in items.values() for each in own])
        called = rig.feed(topic, json.dumps(record).encode(), int(time * 1000))
        assert (known if topic == CALENDAR else set(items)) == set(called)
        for station, given_inputs in called.items():
            assert naive.all_inputs(station, now) == given_inputs
        for station in known:
            assert naive.all_inputs(station, now) == rig.dispatcher.get_all_inputs(station)
    assert {} == rig.reasons


POINTS = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(0, 6)), st.integers(0, 2)), max_size=40
)


@given(POINTS)
def test_the_newest_point_is_a_window_of_one(points: list[Any]) -> None:
    latest, window = Latest(), Window(2, 1)
    for now, (time, value) in enumerate(points):
        row = [value, "x"]
        assert window.add(row, time, now) is latest.add(row, time, now)
        assert window.arrived_at == latest.arrived_at
        assert [list(each) for each in window.view().rows()] == latest.view().rows()
        assert list(window.view().newest) == list(latest.view().newest)
        assert window.view().array(0).tolist() == latest.view().array(0).tolist()
    assert len(window) == len(latest)


@given(POINTS, st.integers(1, 3))
def test_views_of_seconds_and_devices_never_change(points: list[Any], size: int) -> None:
    seconds, devices = Seconds(size), Devices()
    kept: list[tuple[Any, Any, Any]] = []
    for now, (time, value) in enumerate(points):
        seconds.add([{"n": value}], None if time is None else time / 2, now)
        devices.add((str(value), {"n": time}), time, now)
        for view in (seconds.view(), devices.view()):
            kept.append((view, view.rows(), list(view.newest)))
        assert len(seconds) <= size
    for view, rows, newest in kept:
        assert (rows, newest) == (view.rows(), list(view.newest))
