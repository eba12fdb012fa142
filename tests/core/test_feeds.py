"""What is looked up once of a topic: quick ways are for topics whose items are points alone."""

from types import SimpleNamespace

import pytest

from data_analysis import config
from data_analysis.feeds import Feed
from data_analysis.flat_windows import FlatWindow
from data_analysis.settings import load_settings

POINTS = {
    "SCHEDULE-STATION-PARAM",
    "REAL-STATION-DATA",
    "SCHEDULE-ENVIRONMENT-WEATHER",
    "SCHEDULE-DEVICE-METER",
    "SCHEDULE-DEVICE-GUN",
    "SCHEDULE-DEVICE-ERROR",
    "SCHEDULE-DEVICE-PV",
    "OWN",
}
DETAIL = {
    name: {**detail, "window_size": 12}
    for name, detail in {
        **config.TOPIC_DETAIL,
        "OWN": {"fields": ["x"], "modules": ["m"], "window_size": 1},
    }.items()
}


@pytest.mark.parametrize("topic", DETAIL)
def test_points_alone_are_read_singly_and_kept_as_rows(topic: str) -> None:
    settings = load_settings(SimpleNamespace(TOPIC_DETAIL=DETAIL, MODULE_DEPENDENCIES={}))
    feed = Feed(settings.topics[topic], 600, "list")
    assert (topic in POINTS) is feed.single
    assert (topic in POINTS) is isinstance(feed.store(), FlatWindow)
    assert not isinstance(Feed(settings.topics[topic], 600, "array").store(), FlatWindow)
