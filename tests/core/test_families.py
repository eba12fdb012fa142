"""Every family of topics: what it takes, what it refuses, how it shows."""

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from data_analysis import DataDispatcher, config
from data_analysis.messages import read_message
from data_analysis.settings import load_settings
from data_analysis.topics import family_of
from tests.core.test_dispatcher import Clock

HOURLY = "SCHEDULE-STATION-REALTIME-DATA"
ORDER = "SCHEDULE-CAR-ORDER"
STORAGE = "SCHEDULE-DEVICE-STORAGE"
DCDC = "SCHEDULE-DEVICE-HOST-DCDC"
PRICE = "SCHEDULE-CAR-PRICE"


def _read(topic: str, value: Any) -> Any:
    """What a record of a default topic leaves after its family has sifted it."""
    family = family_of(load_settings(config).topics[topic])
    message = read_message(json.dumps(value).encode(), family.scopes)
    family.sift(message)
    return message


def _hour(time: str, guns: list[str], average: list[Any], **more: Any) -> dict[str, Any]:
    power = {
        "gunNo": guns,
        "outputPowerPerGunAvg": average,
        "outputPowerPerGunMax": [None if each is None else 2 * each for each in average],
    }
    return {"stationId": "A", "hostCode": "H1", "sendTime": time, "gunPower": power, **more}


def _pushed(items: list[Any], size: int = 4, form: str = "list") -> dict[str, Any]:
    detail = {**config.TOPIC_DETAIL[HOURLY], "modules": ["m"], "window_size": size}
    dispatcher = DataDispatcher(
        config=SimpleNamespace(TOPIC_DETAIL={HOURLY: detail}, MODULE_DEPENDENCIES={}),
        window_form=form,
    )
    dispatcher.update_topic_data("A", HOURLY, items)
    return dispatcher.get_module_input("A", "m")


def test_a_push_is_laid_out_by_hours_and_guns() -> None:
    shown = _pushed(
        [
            _hour("2026-03-01 11:00:00", ["02", "01"], [2.5, 1], outputPowerPerStationAvg=80.0),
            _hour("2026-03-01 09:00:00", ["01"], [7.0], outputPowerPerStationMax=150),
        ]
    )
    marks = [f"2026-03-01 {hour:02}:00:00" for hour in (8, 9, 10, 11)]
    assert marks == shown["sendTime"]
    assert (["01", "02"], ["H1", "H1"]) == (shown["gunNo"], shown["hostCode"])
    assert [[0.0, 0.0], [7.0, 0.0], [0.0, 0.0], [1, 2.5]] == shown["outputPowerPerGunAvg"]
    assert [[0.0, 0.0], [14.0, 0.0], [0.0, 0.0], [2, 5.0]] == shown["outputPowerPerGunMax"]
    assert [0.0, None, 0.0, 80.0] == shown["outputPowerPerStationAvg"]
    assert [0.0, 150, 0.0, None] == shown["outputPowerPerStationMax"]


def test_hosts_of_the_same_hour_are_all_kept() -> None:
    time = "2026-03-01 11:00:00"
    shown = _pushed(
        [
            _hour(time, ["01", "02"], [1.0, 2.0], outputPowerPerStationAvg=80.0),
            _hour(time, ["01"], [3.0], hostCode="H2"),
        ],
        size=1,
    )
    assert (["01", "02", "01"], ["H1", "H1", "H2"]) == (shown["gunNo"], shown["hostCode"])
    assert [[1.0, 2.0, 3.0]] == shown["outputPowerPerGunAvg"]
    assert [80.0] == shown["outputPowerPerStationAvg"]


def test_a_push_replaces_the_one_before_and_an_older_one_does_not() -> None:
    dispatcher = DataDispatcher()
    for day, stamp in ((1, 10.0), (2, 20.0), (3, 15.0)):
        item = _hour(f"2026-03-0{day} 11:00:00", [f"0{day}"], [1.0])
        dispatcher.update_topic_data("A", HOURLY, [item], timestamp=stamp)
    shown = dispatcher.get_module_input("A", "evaluation_model")
    assert (["02"], "2026-03-02 11:00:00") == (shown["gunNo"], shown["sendTime"][-1])
    assert {168} == {
        len(shown[name])
        for name in ("sendTime", "outputPowerPerGunAvg", "outputPowerPerStationMax")
    }
    assert [_hour("2026-03-02 11:00:00", ["02"], [1.0])] == dispatcher.get_topic_window("A", HOURLY)


def test_a_push_as_arrays() -> None:
    items = [_hour("2026-03-01 11:00:00", ["01", "02"], [1.5, None], outputPowerPerStationAvg=8)]
    shown = _pushed(items, size=2, form="array")
    np.testing.assert_array_equal([[0.0, 0.0], [1.5, np.nan]], shown["outputPowerPerGunAvg"])
    np.testing.assert_array_equal([0.0, 8.0], shown["outputPowerPerStationAvg"])
    assert ["2026-03-01 10:00:00", "2026-03-01 11:00:00"] == shown["sendTime"].tolist()
    with pytest.raises(ValueError, match="read-only"):
        shown["outputPowerPerGunAvg"][0, 0] = 1.0
    assert ["01", "02"] == shown["gunNo"]


def test_a_push_without_guns_and_a_missing_one() -> None:
    item = {"stationId": "A", "sendTime": "2026-03-01 11:00:00", "outputPowerPerStationAvg": 8.0}
    shown = _pushed([item], size=2)
    assert ([], [[], []], [0.0, 8.0]) == (
        shown["gunNo"],
        shown["outputPowerPerGunAvg"],
        shown["outputPowerPerStationAvg"],
    )
    missing = _pushed([], size=2)
    assert (None, [None, None]) == (missing["gunNo"], missing["sendTime"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sendTime": "2026-02-30 11:00:00"}, "bad_time"),
        ({"sendTime": "2026-03-01 11:00:00+08:00"}, "bad_time"),
        ({"sendTime": "0001-01-01 00:00:00"}, "bad_time"),
        ({"sendTime": "yesterday"}, "bad_time"),
        ({"sendTime": None}, "bad_time"),
        ({"sendTime": 20260301}, "bad_time"),
        ({"gunPower": 3}, "bad_item"),
        ({"gunPower": {}}, "bad_item"),
        ({"gunPower": {"gunNo": [["01"]]}}, "bad_item"),
        ({"gunPower": {"gunNo": ["01"], "outputPowerPerGunAvg": [1.0, 2.0]}}, "bad_item"),
        ({"gunPower": {"gunNo": ["01"], "outputPowerPerGunAvg": ["1.0"]}}, "bad_item"),
        ({"gunPower": {"gunNo": ["01"], "outputPowerPerGunMax": [True]}}, "bad_item"),
        ({"hostCode": ["H1"]}, "bad_item"),
        ({"outputPowerPerStationAvg": "80"}, "bad_item"),
    ],
)
def test_a_bad_hour_is_refused_and_its_neighbours_stay(change: Any, reason: str) -> None:
    good = _hour("2026-03-01 11:00:00", ["01"], [1.0])
    value = {"realTimeData": [{**good, **change}, good, {**good, "stationId": "B", **change}]}
    message = _read(HOURLY, value)
    if reason == "bad_time":
        # A push without any time is used as it is.
        assert ([reason], ["A", "B"]) == (
            [each.value for each in message.reasons],
            list(message.stations),
        )
    else:
        assert [reason, reason] == [each.value for each in message.reasons]
        assert ["A"] == list(message.stations)
    assert [good] == message.stations["A"][0].items()


@pytest.mark.parametrize("time", [None, "yesterday", "2026-02-30 11:00:00", [1]])
def test_a_push_without_times_is_kept_in_its_order(time: Any) -> None:
    items = [_hour(time, ["01"], [1.0]), _hour(time, ["02"], [2.0])]
    shown = _pushed(items, size=3)
    assert [None, time, time] == shown["sendTime"]
    assert [None, [1.0, 0.0], [0.0, 2.0]] == shown["outputPowerPerGunAvg"]
    assert (["02"], [[2.0]]) == tuple(
        _pushed(items, size=1)[name] for name in ("gunNo", "outputPowerPerGunAvg")
    )
    arrays = _pushed(items, size=3, form="array")
    assert (2, 2) == arrays["outputPowerPerGunAvg"].shape


def test_the_items_of_a_push_come_back_as_they_came() -> None:
    time = "2026-03-01 11:00:00"
    items: list[dict[str, Any]] = [
        _hour(time, ["02", "01"], [1.0, None], more={"x": [1, {"y": 2}]}),
        {"stationId": "A", "sendTime": time, "gunPower": None, "hostCode": None},
        {"stationId": "A", "sendTime": time, "outputPowerPerStationAvg": 1},
        {"stationId": "A", "sendTime": time, "gunPower": {"gunNo": [], "outputPowerPerGunAvg": []}},
        {"sendTime": time, "gunPower": {"gunNo": ["01"], "outputPowerPerGunMax": None, "z": 1}},
    ]
    dispatcher = DataDispatcher()
    dispatcher.update_topic_data("A", HOURLY, items)
    assert items == dispatcher.get_topic_window("A", HOURLY)


def _orders(*times: float, size: int = 2) -> tuple[DataDispatcher, Clock]:
    clock = Clock()
    detail = {**config.TOPIC_DETAIL[ORDER], "fields": ["n"], "modules": ["m"], "window_size": size}
    names = SimpleNamespace(TOPIC_DETAIL={ORDER: detail}, MODULE_DEPENDENCIES={})
    dispatcher = DataDispatcher(config=names, clock=clock)
    for number, time in enumerate(times):
        dispatcher.update_topic_data("A", ORDER, {"n": number}, timestamp=time)
    return dispatcher, clock


def _numbers(dispatcher: DataDispatcher) -> list[int]:
    return [order["n"] for order in dispatcher.get_module_input("A", "m")["car_order"]]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([10.0], [0]),
        ([10.0, 10.5], [0, 1]),
        ([10.0, 10.5, 11.0], [0, 1]),
        ([10.5, 10.0, 11.0], [1, 0]),
        ([10.0, 11.0, 10.5], [0, 2]),
        ([10.0, 11.0, 12.0], [1]),
        ([10.0, 12.0, 11.0], [2]),
        ([10.0, 11.0, 9.0], [0]),
        ([10.0, 10.0], [0, 1]),
    ],
)
def test_orders_are_those_of_the_newest_complete_second(
    times: list[float], expected: list[int]
) -> None:
    dispatcher, _ = _orders(*times)
    assert expected == _numbers(dispatcher)


def test_a_quiet_second_is_complete() -> None:
    dispatcher, clock = _orders(10.0, 11.0, 11.5)
    clock.now += 1.9
    assert [0] == _numbers(dispatcher)
    clock.now += 0.1
    assert [1, 2] == _numbers(dispatcher)
    dispatcher.update_topic_data("A", ORDER, {"n": 3}, timestamp=11.7)
    assert [0] == _numbers(dispatcher)
    window = dispatcher.get_topic_window("A", ORDER)
    assert [[{"n": 0}], [{"n": 1}, {"n": 2}, {"n": 3}]] == window


def test_the_same_order_twice_is_one() -> None:
    dispatcher, _ = _orders(10.0)
    dispatcher.update_topic_data("A", ORDER, {"n": 0}, timestamp=10.0)
    assert [0] == _numbers(dispatcher)


def _unit(code: Any, **more: Any) -> dict[str, Any]:
    return {"stationId": "A", "storageCode": code, "batteryGroupSoc": 50, **more}


def test_devices_are_merged_in_the_order_of_their_codes() -> None:
    clock = Clock()
    dispatcher = DataDispatcher(600, clock=clock)
    for code, power, stamp in (("b", 1.0, 10.0), ("a", 2.0, 11.0), ("b", 3.0, 12.0)):
        dispatcher.update_topic_data(
            "A", STORAGE, _unit(code, batteryGroupOutPower=power), timestamp=stamp
        )
    dispatcher.update_topic_data("A", STORAGE, _unit("b"), timestamp=9.0)
    shown = dispatcher.get_module_input("A", "electricity_price")["device_storage"]
    assert [("a", 2.0), ("b", 3.0)] == [
        (unit["storageCode"], unit["batteryGroupOutPower"]) for unit in shown
    ]
    assert config.TOPIC_DETAIL[STORAGE]["fields"] == list(shown[0])
    (window,) = dispatcher.get_topic_window("A", STORAGE)
    assert {"a": shown[0], "b": shown[1]} == window


def test_devices_expire_one_by_one() -> None:
    clock = Clock()
    dispatcher = DataDispatcher(600, clock=clock)
    dispatcher.update_topic_data("A", STORAGE, _unit("a"))
    clock.now += 400
    dispatcher.update_topic_data("A", STORAGE, _unit("b"))
    clock.now += 400
    assert [["b"]] == [list(window) for window in dispatcher.get_topic_window("A", STORAGE)]
    clock.now += 400
    shown = dispatcher.get_module_input("A", "electricity_price")
    assert shown["device_storage"] is None
    assert STORAGE in shown["_data_quality"]["missing_topics"]
    assert [] == dispatcher.get_topic_window("A", STORAGE)


@pytest.mark.parametrize(
    ("code", "reason"),
    [(None, "no_device"), ("", "no_device"), ([1], "bad_id"), (1.5, "bad_id"), (True, "bad_id")],
)
def test_an_item_without_a_device_is_refused_alone(code: Any, reason: str) -> None:
    message = _read(STORAGE, [_unit(code), _unit("a"), {**_unit(code), "stationId": "B"}])
    assert [reason, reason] == [each.value for each in message.reasons]
    assert {"A": [_unit("a")]} == message.stations


def test_other_spellings_are_shown_as_the_wire_has_them() -> None:
    dispatcher = DataDispatcher()
    old = {"storageId": "a", "hostId": "h", "storageSOC": 50, "storagePower": 4.5}
    dispatcher.update_topic_data("A", STORAGE, old)
    dispatcher.update_topic_data("A", DCDC, {"hostId": 7, "dcPower": [3.0]})
    shown = dispatcher.get_module_input("A", "operation_optimization")
    (unit,), (host,) = shown["device_storage"], shown["device_host_dcdc"]
    assert ("a", "h", 50, 4.5, None) == (
        unit["storageCode"],
        unit["hostCode"],
        unit["batteryGroupSoc"],
        unit["batteryGroupOutPower"],
        unit["maxTemperature"],
    )
    assert (7, [3.0]) == (host["hostCode"], host["dcdcPower"])
    assert ["7"] == list(dispatcher.get_topic_window("A", DCDC)[0])


def test_the_newest_tariff_counts_and_one_of_no_date_is_refused() -> None:
    items = [
        {"stationId": "A", "dialNo": "2101", "sendTime": "2026-03-02 00:00:00"},
        {"stationId": "A", "dialNo": "2102", "sendTime": "2026-03-02 00:00:00"},
        {"stationId": "A", "dialNo": "2100", "sendTime": "2026-03-01 00:00:00"},
        {"stationId": "A", "dialNo": "2103", "sendTime": "2026-13-45 00:00:00"},
        {"stationId": "A", "dialNo": "2104"},
    ]
    message = _read(PRICE, {"fee": items})
    assert {"A": [items[1]]} == message.stations
    assert ["bad_time"] == [each.value for each in message.reasons]


@pytest.mark.parametrize(
    "value",
    [
        {"station_id": "A", "output": {"x": 1}, "timestamp": 5.0},
        {"station_id": "A", "module": "base", "output": {"x": 1}, "timestamp": 5.0, "input": {}},
        {"stationId": "A", "output": {"x": 1}},
        {"batch_id": "b", "count": 1, "results": [{"station_id": "A", "x": 1}]},
        {"batch_id": "b", "module": "base", "stations": [{"station_id": "A", "output": {"x": 1}}]},
        {"batch_id": "b", "stations": {"A": {"x": 1}}, "station_count": 1},
        [{"station_id": "A", "x": 1}],
    ],
    ids=str,
)
def test_every_shape_of_a_result_is_an_output(value: Any) -> None:
    dispatcher = _dependent()
    family = family_of(dispatcher.settings.topics["MODULE-OUTPUT-BASE"])
    message = read_message(json.dumps(value).encode(), family.scopes)
    assert (["A"], []) == (list(message.stations), message.reasons)
    dispatcher.update_topic_data("A", "MODULE-OUTPUT-BASE", message.stations["A"][0])
    shown = dispatcher.get_module_input("A", "m")
    assert ([{"x": 1}], 1) == (shown["base_output_window"], shown["base_x"])
    assert [{"x": 1}] == dispatcher.get_topic_window("A", "MODULE-OUTPUT-BASE")


def _dependent(**topics: Any) -> DataDispatcher:
    detail = {"T": {"fields": ["x"], "modules": ["m"], "window_size": 1}, **topics}
    return DataDispatcher(
        config=SimpleNamespace(TOPIC_DETAIL=detail, MODULE_DEPENDENCIES={"m": ["base"]})
    )


def test_a_result_that_is_no_dict_is_a_value() -> None:
    dispatcher = _dependent()
    dispatcher.update_topic_data("A", "MODULE-OUTPUT-BASE", {"station_id": "A", "output": [1]})
    shown = dispatcher.get_module_input("A", "m")
    assert ([[1]], [1]) == (shown["base_output_window"], shown["base_value"])


def test_results_as_arrays_are_what_they_were() -> None:
    entry = {"T": {"fields": ["x"], "modules": ["m"], "window_size": 1}}
    names = SimpleNamespace(TOPIC_DETAIL=entry, MODULE_DEPENDENCIES={"m": ["base"]})
    for output in ("12", ["12"], [1, 2], {"x": 1}, None):
        dispatcher = DataDispatcher(config=names, window_form="array")
        dispatcher.update_topic_data("A", "MODULE-OUTPUT-BASE", {"output": output})
        window = dispatcher.get_module_input("A", "m")["base_output_window"]
        assert [output] == window.tolist() or (output is None and np.isnan(window[0]))


def test_a_listed_output_topic_counts_and_has_its_window_and_fields() -> None:
    entry = {"fields": ["y"], "modules": ["m"], "window_size": 3}
    dispatcher = _dependent(**{"MODULE-OUTPUT-BASE": entry})
    missing = dispatcher.get_module_input("A", "m")
    assert ([None] * 3, None) == (missing["base_output_window"], missing["base_y"])
    assert ["T", "MODULE-OUTPUT-BASE"] == missing["_data_quality"]["missing_topics"]
    for number in (1, 2):
        dispatcher.update_topic_data("A", "MODULE-OUTPUT-BASE", {"output": {"x": number}})
    shown = dispatcher.get_module_input("A", "m")
    assert ([None, {"x": 1}, {"x": 2}], 2, None) == (
        shown["base_output_window"],
        shown["base_x"],
        shown["base_y"],
    )


def test_a_service_consumes_what_its_module_depends_on() -> None:
    settings = load_settings(config)
    assert [*config.TOPIC_DETAIL, "MODULE-OUTPUT-LOAD_PREDICTION"] == settings.consumed(
        "operation_optimization"
    )
    assert [*config.TOPIC_DETAIL] == settings.consumed("load_prediction")
    assert 14 == len(config.TOPIC_DETAIL)
    assert {
        f"MODULE-OUTPUT-{name.upper()}"
        for needed in config.MODULE_DEPENDENCIES.values()
        for name in needed
    } == set(settings.consumed(None)) - set(config.TOPIC_DETAIL)
    other = load_settings(config, "OUT.")
    assert "OUT.LOAD_PREDICTION" in other.consumed("operation_optimization")


def test_every_family_survives_a_reload_and_one_that_changes_begins_anew() -> None:
    wide = {name: {**detail, "window_size": 4} for name, detail in config.TOPIC_DETAIL.items()}
    wide["MODULE-OUTPUT-BASE"] = {"fields": [], "modules": ["SOH_model"], "window_size": 2}
    payloads: dict[str, Any] = {
        HOURLY: [_hour("2026-03-01 11:00:00", ["01"], [1.0])],
        ORDER: {"gunNo": "01"},
        STORAGE: _unit("a"),
        PRICE: {"dialNo": "2100"},
        "SCHEDULE-STATION-PARAM": {"gunNum": 4},
        "SCHEDULE-DEVICE-METER": {"meterPower": 5.0},
        "MODULE-OUTPUT-BASE": {"output": 1},
    }
    dispatcher = DataDispatcher(config=_config(wide))
    for topic, payload in payloads.items():
        dispatcher.update_topic_data("A", topic, payload)
    before = {topic: dispatcher.get_topic_window("A", topic) for topic in payloads}
    narrow = {name: {**detail, "window_size": 1} for name, detail in wide.items()}
    for topics in (narrow, wide):
        dispatcher.reload_config(_config(topics))
        assert before == {topic: dispatcher.get_topic_window("A", topic) for topic in payloads}
    fewer = {name: {**detail, "fields": ["dialNo", "new"]} for name, detail in wide.items()}
    dispatcher.reload_config(_config(fewer))
    assert [{"dialNo": "2100", "new": None}] == dispatcher.get_topic_window("A", PRICE)
    assert {"a": {"dialNo": None, "new": None}} == dispatcher.get_topic_window("A", STORAGE)[0]
    assert [[{"dialNo": None, "new": None}]] == dispatcher.get_topic_window("A", ORDER)
    dispatcher = DataDispatcher(config=_config(wide))
    dispatcher.update_topic_data("A", "MODULE-OUTPUT-BASE", {"output": 1})
    dispatcher.drop_window("A", "MODULE-OUTPUT-BASE")
    assert [] == dispatcher.get_topic_window("A", "MODULE-OUTPUT-BASE")


def _config(topics: dict[str, Any]) -> Any:
    return SimpleNamespace(TOPIC_DETAIL=topics, MODULE_DEPENDENCIES={"m": ["base"]})


@pytest.mark.parametrize("topic", [*config.TOPIC_DETAIL, "MODULE-OUTPUT-LOAD_PREDICTION"])
@pytest.mark.parametrize("raw", [3, "x", None, [], [None], {}, {"stationId": 7}, [{"sendTime": 1}]])
def test_no_data_raises(topic: str, raw: Any) -> None:
    dispatcher = DataDispatcher()
    dispatcher.update_topic_data("A", topic, raw)
    dispatcher.get_topic_window("A", topic)
    dispatcher.get_all_inputs("A")
