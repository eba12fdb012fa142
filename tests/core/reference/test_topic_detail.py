"""What the reference says of TOPIC_DETAIL."""

from typing import Any

from data_analysis import DataDispatcher
from data_analysis import config as default_config
from data_analysis.settings import load_settings
from tests.core.reference.statements import states
from tests.core.reference.test_dispatcher import SetClock
from tests.core.world import DATA, small_config

CHAPTER = "Topic配置 (TOPIC_DETAIL)"


def held(**changes: Any) -> DataDispatcher:
    config = small_config()
    config.TOPIC_DETAIL[DATA].update(changes)
    return DataDispatcher(config=config, clock=SetClock())


@states(
    "'SCHEDULE-STATION-PARAM'……`window_size` 1；'REAL-STATION-DATA'……`7 * 24 * 60 * 4`",
    "config.TOPIC_DETAIL",
)
def test_the_default_topics_have_the_reference_s_windows() -> None:
    detail = default_config.TOPIC_DETAIL
    assert 1 == detail["SCHEDULE-STATION-PARAM"]["window_size"]
    assert 40320 == detail["REAL-STATION-DATA"]["window_size"]
    assert {"stationId", "stationTemp", "lat", "lng"} <= set(
        detail["SCHEDULE-STATION-PARAM"]["fields"]
    )
    assert {"stationId", "timestamp", "totalPower"} <= set(detail["REAL-STATION-DATA"]["fields"])
    assert "15秒" == detail["REAL-STATION-DATA"]["frequency"]
    assert {"load_prediction", "evaluation_model"} <= set(detail["REAL-STATION-DATA"]["modules"])


@states(
    "`fields`: 该topic包含的字段列表"
    "（注意：实际数据使用 camelCase 命名，如 `stationId` 而非 `station_id`）",
    "topics.general.GeneralTopic",
)
def test_the_configured_fields_are_kept_in_camel_case() -> None:
    dispatcher = held()
    item = {"stationId": "A", "timestamp": "t", "totalPower": 5.0, "notConfigured": 1}
    dispatcher.update_topic_data("A", DATA, item)
    expected = {"stationId": "A", "timestamp": "t", "totalPower": 5.0}
    assert [expected] == dispatcher.get_topic_window("A", DATA)
    shown = dispatcher.get_module_input("A", "load_prediction")
    assert ("A", 5.0) == (shown["stationId"], shown["totalPower"])
    assert "notConfigured" not in shown


@states("`frequency`: 数据推送频率描述", "settings.TopicSettings")
def test_the_frequency_is_a_description_and_may_be_left_out() -> None:
    config = small_config()
    assert "" == load_settings(config).topics[DATA].frequency
    config.TOPIC_DETAIL[DATA]["frequency"] = "每15秒"
    assert "每15秒" == load_settings(config).topics[DATA].frequency


@states("`modules`: 需要消费此数据的业务模块列表", "inputs.plan_modules")
def test_the_listed_modules_get_the_data_and_no_others() -> None:
    config = small_config()
    config.TOPIC_DETAIL["OWN"] = {"fields": ["x"], "modules": ["own"], "window_size": 1}
    dispatcher = DataDispatcher(config=config, clock=SetClock())
    dispatcher.update_topic_data("A", "OWN", {"x": 1})
    dispatcher.update_topic_data("A", DATA, {"totalPower": 2.0})
    own, forecast = (dispatcher.get_module_input("A", name) for name in ("own", "load_prediction"))
    assert (1, False) == (own["x"], "totalPower" in own)
    assert (2.0, False) == (forecast["totalPower"], "x" in forecast)


@states(
    "`window_size`: 数据窗口大小，单位为数据点数量",
    "windows.Window",
)
def test_a_window_holds_so_many_of_the_newest_points() -> None:
    dispatcher = held(window_size=3)
    for power in (1.0, 2.0, 3.0, 4.0):
        dispatcher.update_topic_data("A", DATA, {"totalPower": power})
    points = dispatcher.get_topic_window("A", DATA)
    assert [2.0, 3.0, 4.0] == [point["totalPower"] for point in points]
    shown = dispatcher.get_module_input("A", "load_prediction")
    assert [2.0, 3.0, 4.0] == shown["totalPower_window"]


@states("低频配置数据：`1` 个数据点即可", "inputs.plan_modules")
def test_a_window_of_one_point_is_that_value_alone() -> None:
    dispatcher = held(window_size=1)
    dispatcher.update_topic_data("A", DATA, {"totalPower": 1.0})
    dispatcher.update_topic_data("A", DATA, {"totalPower": 2.0})
    shown = dispatcher.get_module_input("A", "load_prediction")
    assert 2.0 == shown["totalPower"]
    assert "totalPower_window" not in shown
