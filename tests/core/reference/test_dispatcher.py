"""What the reference says of the dispatcher, without Kafka."""

from types import SimpleNamespace
from typing import Any

import pytest

from data_analysis import ConfigurationError, DataDispatcher, DispatcherError
from tests.core.reference.statements import states
from tests.core.world import DATA, small_config

CHAPTER = "DataDispatcher 类"


class SetClock:
    """A clock that is set by hand."""

    now = 1000.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


def dispatcher(expire_seconds: float = 600, **names: Any) -> tuple[DataDispatcher, SetClock]:
    clock = SetClock()
    return DataDispatcher(expire_seconds, config=small_config(**names), clock=clock), clock


@states(
    "`data_expire_seconds`: 数据过期时间(秒)，默认为600",
    "dispatcher.DataDispatcher",
)
def test_windows_expire_after_the_seconds_given_or_600() -> None:
    for expire_seconds, (held, clock) in (
        (
            600.0,
            (lambda clock: (DataDispatcher(config=small_config(), clock=clock), clock))(SetClock()),
        ),
        (60.0, dispatcher(60)),
    ):
        held.update_topic_data("A", DATA, {"totalPower": 1.0})
        clock.now += expire_seconds
        assert 1 == len(held.get_topic_window("A", DATA))
        clock.now += 1
        assert [] == held.get_topic_window("A", DATA)


@states(
    "update_topic_data：更新指定场站、topic的数据窗口",
    "dispatcher.DataDispatcher.update_topic_data",
)
def test_an_update_goes_into_the_window_of_that_station_and_topic() -> None:
    held, _ = dispatcher()
    assert None is held.update_topic_data("A", DATA, {"totalPower": 1.0})
    assert [1.0] == [point["totalPower"] for point in held.get_topic_window("A", DATA)]
    assert [] == held.get_topic_window("B", DATA)


@states(
    "get_topic_window：获取窗口数据（只返回data部分，按时间升序）",
    "dispatcher.DataDispatcher.get_topic_window",
    "windows.Window",
)
def test_a_window_is_its_data_oldest_first() -> None:
    held, _ = dispatcher()
    for at, power in ((30.0, 3.0), (10.0, 1.0), (20.0, 2.0)):
        item = {"stationId": "A", "timestamp": "t", "totalPower": power}
        held.update_topic_data("A", DATA, item, timestamp=at)
    expected = [
        {"stationId": "A", "timestamp": "t", "totalPower": power} for power in (1.0, 2.0, 3.0)
    ]
    assert expected == held.get_topic_window("A", DATA)


@states(
    "get_module_input：整合该场站所有topic窗口数据，组装为模块输入，窗口不足自动补零或插值",
    "dispatcher.DataDispatcher.get_module_input",
    "padding.pad",
)
@pytest.mark.parametrize(
    ("padding", "expected"),
    [
        ("none", [None, None, 2.0, 4.0]),
        ("zero", [0, 0, 2.0, 4.0]),
        ("linear", [2.0, pytest.approx(8 / 3), pytest.approx(10 / 3), 4.0]),
    ],
)
def test_an_input_has_all_topics_and_is_padded(padding: str, expected: list[Any]) -> None:
    held = DataDispatcher(config=small_config(), clock=SetClock(), padding=padding)
    for at, power in ((1.0, 2.0), (2.0, 4.0)):
        held.update_topic_data("A", DATA, {"totalPower": power}, timestamp=at)
    shown = held.get_module_input("A", "load_prediction")
    assert expected == shown["totalPower_window"]
    assert {"stationId", "totalPower", "date", "isHoliday"} <= set(shown)


@states(
    "get_all_inputs：返回值 dict，格式为 `{module_name: module_input}`",
    "dispatcher.DataDispatcher.get_all_inputs",
)
def test_all_inputs_are_those_of_each_module() -> None:
    held, _ = dispatcher(MODULE_DEPENDENCIES={"evaluation_model": ["load_prediction"]})
    held.update_topic_data("A", DATA, {"totalPower": 1.0})
    inputs = held.get_all_inputs("A")
    modules = ("load_prediction", "evaluation_model")
    assert {module: held.get_module_input("A", module) for module in modules} == inputs


@states("clean_expired：清理过期数据", "dispatcher.DataDispatcher.clean_expired")
def test_expired_data_is_cleaned_away() -> None:
    held, clock = dispatcher(60)
    held.update_topic_data("A", DATA, {"totalPower": 1.0})
    clock.now += 30
    held.update_topic_data("B", DATA, {"totalPower": 1.0})
    clock.now += 31
    assert ["A", "B"] == held.station_ids()
    assert None is held.clean_expired()
    assert ["B"] == held.station_ids()


@states(
    "reload_config：热加载config模块，动态更新topic、窗口、依赖等",
    "dispatcher.DataDispatcher.reload_config",
    "dispatcher.DataDispatcher.apply_settings",
)
def test_a_reload_changes_topics_windows_and_dependencies() -> None:
    held, _ = dispatcher()
    for power in (1.0, 2.0, 3.0):
        held.update_topic_data("A", DATA, {"totalPower": power})
    changed = small_config(MODULE_DEPENDENCIES={"electricity_price": ["load_prediction"]})
    changed.TOPIC_DETAIL[DATA]["window_size"] = 2
    changed.TOPIC_DETAIL["OWN"] = {"fields": ["x"], "modules": ["own"], "window_size": 1}
    held.reload_config(changed)
    assert [2.0, 3.0] == [point["totalPower"] for point in held.get_topic_window("A", DATA)]
    held.update_topic_data("A", "OWN", {"x": 7})
    inputs = held.get_all_inputs("A")
    assert 7 == inputs["own"]["x"]
    assert [None] == inputs["electricity_price"]["load_prediction_output_window"]


@states(
    "`config_mod` (module): 配置模块",
    "settings.load_settings",
)
def test_a_configuration_that_is_not_valid_changes_nothing() -> None:
    held, _ = dispatcher()
    held.update_topic_data("A", DATA, {"totalPower": 1.0})
    before = held.get_all_inputs("A")
    with pytest.raises(ConfigurationError, match="TOPIC_DETAIL"):
        held.reload_config(SimpleNamespace(TOPIC_DETAIL=None, MODULE_DEPENDENCIES={}))
    assert before == held.get_all_inputs("A")


@states("`topic` (str): topic名称；`module` (str): 模块名称", "errors.DispatcherError")
def test_names_that_the_configuration_lacks_are_refused() -> None:
    held, _ = dispatcher()
    with pytest.raises(DispatcherError, match="no-such-topic"):
        held.update_topic_data("A", "no-such-topic", {})
    with pytest.raises(DispatcherError, match="no-such-topic"):
        held.get_topic_window("A", "no-such-topic")
    with pytest.raises(DispatcherError, match="no_such_module"):
        held.get_module_input("A", "no_such_module")
