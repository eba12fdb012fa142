"""Module inputs: names, forms, padding, what is missing, what has expired."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from data_analysis import ConfigurationError, DataDispatcher, DispatcherError, config

DATA = "REAL-STATION-DATA"
PARAM = "SCHEDULE-STATION-PARAM"
PRICE = "SCHEDULE-CAR-PRICE"
CALENDAR = "SCHEDULE-ENVIRONMENT-CALENDAR"


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


def _topic(fields: list[str], size: int, **more: Any) -> dict[str, Any]:
    return {"fields": fields, "modules": ["m"], "window_size": size, **more}


def _config(topics: dict[str, Any], **dependencies: list[str]) -> Any:
    return SimpleNamespace(TOPIC_DETAIL=topics, MODULE_DEPENDENCIES=dependencies)


def test_the_default_configuration_makes_the_reference_s_input() -> None:
    dispatcher = DataDispatcher()
    dispatcher.update_topic_data("A", DATA, {"timestamp": "t", "totalPower": 5.0})
    shown = dispatcher.get_module_input("A", "load_prediction")
    assert "A" == shown["stationId"]
    assert (5.0, 40320, 5.0, None) == (
        shown["totalPower"],
        len(shown["totalPower_window"]),
        shown["totalPower_window"][-1],
        shown["totalPower_window"][0],
    )
    assert {
        "available_topics": [DATA],
        "missing_topics": [PARAM, "SCHEDULE-STATION-REALTIME-DATA", CALENDAR],
        "total_topics": 4,
        "availability_ratio": 1 / 4,
    } == shown["_data_quality"]
    assert (None, None) == (shown["date"], shown["gunNum"])
    assert "gunNum_window" not in shown


def test_a_window_of_one_is_bare_and_a_larger_one_has_a_series() -> None:
    dispatcher = DataDispatcher(config=_config({"T": _topic(["x"], 1), "U": _topic(["y"], 3)}))
    for number in (1, 2):
        dispatcher.update_topic_data("A", "T", {"x": number})
        dispatcher.update_topic_data("A", "U", {"y": number, "other": 9})
    shown = dispatcher.get_module_input("A", "m")
    del shown["_data_quality"]
    assert {"stationId": "A", "x": 2, "y": 2, "y_window": [None, 1, 2]} == shown


def test_a_topic_without_data_is_none_in_both_forms() -> None:
    both = [
        DataDispatcher(config=_config({"U": _topic(["y"], 2)}), window_form=form)
        for form in ("list", "array")
    ]
    lists, arrays = (each.get_module_input("A", "m") for each in both)
    assert (None, [None, None]) == (lists["y"], lists["y_window"])
    assert (None, 0) == (arrays["y"], len(arrays["y_window"]))
    assert 0.0 == lists["_data_quality"]["availability_ratio"]


def test_arrays_are_read_only_and_as_long_as_what_is_held() -> None:
    dispatcher = DataDispatcher(config=_config({"U": _topic(["y"], 9)}), window_form="array")
    for number in (1.0, 2.0):
        dispatcher.update_topic_data("A", "U", {"y": number})
    window = dispatcher.get_module_input("A", "m")["y_window"]
    np.testing.assert_array_equal([1.0, 2.0], window)
    with pytest.raises(ValueError, match="read-only"):
        window[0] = 9.0


def test_a_shared_field_belongs_to_the_first_topic_and_is_qualified_everywhere() -> None:
    topics = {"T": _topic(["x"], 1), "U": _topic(["x", "y"], 2)}
    dispatcher = DataDispatcher(config=_config(topics))
    dispatcher.update_topic_data("A", "T", {"x": 1})
    dispatcher.update_topic_data("A", "U", {"x": 2, "y": 3})
    shown = dispatcher.get_module_input("A", "m")
    assert (1, 1, 2, [None, 2], 3) == (
        shown["x"],
        shown["T.x"],
        shown["U.x"],
        shown["U.x_window"],
        shown["y"],
    )
    assert "x_window" not in shown
    assert "T.y" not in shown


def test_dependencies_are_named_though_nothing_came() -> None:
    dispatcher = DataDispatcher(config=_config({"T": _topic(["x"], 1)}, m=["base"]))
    assert [None] == dispatcher.get_module_input("A", "m")["base_output_window"]
    assert 0 == dispatcher.get_module_input("A", "base")["_data_quality"]["total_topics"]
    assert ["m", "base"] == list(dispatcher.get_all_inputs("A"))


def test_parameters_are_flat_at_any_size_and_spellings_are_accepted() -> None:
    dispatcher = DataDispatcher(config=_config({PARAM: _topic(["normalCap", "gunNum"], 3)}))
    dispatcher.update_topic_data("A", PARAM, {"normalClap": 186.8, "gunNum": 0})
    shown = dispatcher.get_module_input("A", "m")
    assert (186.8, 0) == (shown["normalCap"], shown["gunNum"])
    assert "gunNum_window" not in shown


def test_a_price_is_one_dict_with_its_codes_as_a_list() -> None:
    dispatcher = DataDispatcher()
    codes = {f"feeNo{number}": f"{number % 5:02d}" for number in range(1, 49)}
    raw = {"stationId": "A", "dialNo": "2100", "peakElectricFee": 0.8, "lossRate": 1, **codes}
    dispatcher.update_topic_data("A", PRICE, raw)
    price = dispatcher.get_module_input("A", "evaluation_model")["car_price"]
    assert config.TOPIC_DETAIL[PRICE]["fields"] == list(price)
    assert (list(codes.values()), 1, None) == (
        price["feeNo"],
        price["lossRate"],
        price["flatServerFee"],
    )
    price["feeNo"].clear()
    assert 48 == len(dispatcher.get_topic_window("A", PRICE)[0]["feeNo"])


def test_a_calendar_is_parallel_lists() -> None:
    days = [{"date": "d1", "isHoliday": 1, "isWeekend": 0}, {"date": "d2", "isHoliday": 0}]
    for given in ({"calendar": days}, days):
        shown = _calendar(given)
        assert (["d1", "d2"], [1, 0], [0, None]) == shown
    assert (["d1"], [1], [0]) == _calendar(days[0]), "one day alone"


def _calendar(given: Any) -> tuple[Any, Any, Any]:
    dispatcher = DataDispatcher()
    dispatcher.update_topic_data("A", CALENDAR, given)
    shown = dispatcher.get_module_input("A", "load_prediction")
    return shown["date"], shown["isHoliday"], shown["isWeekend"]


@pytest.mark.parametrize(
    ("padding", "expected"),
    [
        ("none", [None, None, 1, 3]),
        ("zero", [0, 0, 1, 3]),
        ("forward", [1, 1, 1, 3]),
        ("linear", [1, 5 / 3, 7 / 3, 3]),
    ],
)
def test_padding_of_a_service_and_of_a_topic(padding: str, expected: list[Any]) -> None:
    topics = {"T": _topic(["x"], 4), "U": _topic(["y"], 4, padding="none")}
    dispatcher = DataDispatcher(config=_config(topics), padding=padding)
    for number in (1, 3):
        dispatcher.update_topic_data("A", "T", {"x": number})
        dispatcher.update_topic_data("A", "U", {"y": number})
    shown = dispatcher.get_module_input("A", "m")
    assert expected == pytest.approx(shown["x_window"])
    assert [None, None, 1, 3] == shown["y_window"]


def test_windows_expire_by_arrival_and_topics_may_differ() -> None:
    clock = Clock()
    topics = {"T": _topic(["x"], 2), "U": _topic(["y"], 2, expire_seconds=None)}
    dispatcher = DataDispatcher(600, config=_config(topics), clock=clock)
    dispatcher.update_topic_data("A", "T", {"x": 1}, timestamp=1.0)
    dispatcher.update_topic_data("A", "U", {"y": 1})
    dispatcher.update_topic_data("B", "T", {"x": 1})
    clock.now += 600
    assert 1 == len(dispatcher.get_topic_window("A", "T"))
    clock.now += 1
    assert [] == dispatcher.get_topic_window("A", "T")
    assert ["U"] == dispatcher.get_module_input("A", "m")["_data_quality"]["available_topics"]
    dispatcher.clean_expired()
    assert ["A"] == dispatcher.station_ids()
    dispatcher.update_topic_data("A", "T", {"x": 2}, timestamp=2.0)
    assert [{"x": 2}] == dispatcher.get_topic_window("A", "T")


def test_timestamps_order_a_window_and_without_one_items_are_appended() -> None:
    dispatcher = DataDispatcher(config=_config({"T": _topic(["x"], 3)}))
    for number, timestamp in ((1, 10.0), (3, 30.0), (2, 20.0), (2, 20.0), (4, None)):
        dispatcher.update_topic_data("A", "T", {"x": number}, timestamp=timestamp)
    assert [{"x": 2}, {"x": 3}, {"x": 4}] == dispatcher.get_topic_window("A", "T")


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    dispatcher = DataDispatcher()
    for ask in (
        lambda: dispatcher.update_topic_data("A", "NO-SUCH", {}),
        lambda: dispatcher.get_topic_window("A", "NO-SUCH"),
    ):
        with pytest.raises(DispatcherError, match=r"unknown topic 'NO-SUCH'.*REAL-STATION-DATA"):
            ask()
    with pytest.raises(DispatcherError, match=r"unknown module 'no_such'.*load_prediction"):
        dispatcher.get_module_input("A", "no_such")


def test_a_reload_keeps_what_fits_and_a_bad_one_changes_nothing() -> None:
    dispatcher = DataDispatcher(config=_config({"T": _topic(["x", "y"], 3)}))
    for number in range(3):
        dispatcher.update_topic_data("A", "T", {"x": number, "y": -number})
    dispatcher.reload_config(_config({"T": _topic(["z", "x"], 2)}))
    assert [{"z": None, "x": 1}, {"z": None, "x": 2}] == dispatcher.get_topic_window("A", "T")
    with pytest.raises(ConfigurationError):
        dispatcher.reload_config(_config({"T": _topic(["x"], 0)}))
    assert 2 == len(dispatcher.get_topic_window("A", "T"))


def test_an_older_item_for_everyone_does_not_replace_the_newest() -> None:
    dispatcher = DataDispatcher()
    for date, timestamp in (("2026-03-02", 20.0), ("2026-03-01", 10.0)):
        dispatcher.keep_for_everyone(CALENDAR, {"calendar": [{"date": date}]}, timestamp)
    dispatcher.ensure_station("A", 1000.0)
    assert ["2026-03-02"] == dispatcher.get_all_inputs("A")["load_prediction"]["date"]


def test_whoever_edits_an_input_edits_no_window() -> None:
    dispatcher = DataDispatcher(config=_config({DATA: _topic(["x"], 2)}))
    for number in (1, 2):
        dispatcher.update_topic_data("A", DATA, {"x": {"deep": [number]}})
    shown = dispatcher.get_module_input("A", "m")
    shown["x_window"][0]["deep"].append("edited")
    shown["x"]["deep"].append("edited")
    dispatcher.get_topic_window("A", DATA)[0]["x"]["deep"].append("edited")
    again = dispatcher.get_module_input("A", "m")
    assert [{"deep": [1]}, {"deep": [2]}] == again["x_window"]
