"""The services read every topic of the world: all modules' inputs, and what they say is missing.

Both services, on simulated and on Apache Kafka, with telemetry as it should be and far worse than
in the field; and services broken on purpose, which must be found.
"""

from typing import Any

import pytest

from data_analysis import config, inputs, seconds
from data_analysis.devices import Devices
from data_analysis.observe import Counters
from data_analysis.stores import Outcome
from data_analysis.topics import hourly, outputs, price
from station_sim.streams.imperfections import Imperfections
from station_sim.streams.record import Fate
from station_sim.streams.telling import Telling
from station_sim.streams.topics.registry import TOPICS
from station_sim.world.charging_network import Network
from tests.kafka_at_hand import require_kafka
from tests.scenarios.world_readers import MODULES
from tests.scenarios.world_reading import NEW_YEAR, PROFILE, SLOW_WEEK, called_for_each, on, rough
from tests.scenarios.world_truth import read


@pytest.fixture(params=["virtual", pytest.param("jvm", marks=pytest.mark.kafka)])
def kind(request: pytest.FixtureRequest) -> str:
    if request.param != "virtual":
        require_kafka(request.param)
    return str(request.param)


@pytest.mark.parametrize(
    "blocking", [False, pytest.param(True, marks=pytest.mark.full)], ids=["async", "blocking"]
)
def test_a_perfect_world_is_known_whole(kind: str, blocking: bool) -> None:
    found = on(kind, Imperfections.none(), blocking=blocking)
    called_for_each(found)
    assert set(TOPICS) == set(found.truth.sent)
    assert [] == found.truth.spoilt
    assert dict.fromkeys(MODULES, 1.0) == {each: max(told) for each, told in found.ratios.items()}
    lacked = {module for module, told in found.ratios.items() if min(told) < 1.0}
    assert set(MODULES) - {"pv_prediction"} == lacked, "weather and forecast hold for 26 hours"


@pytest.mark.parametrize("blocking", [False, True], ids=["async", "blocking"])
def test_a_rough_world_is_known_as_far_as_it_came(kind: str, blocking: bool) -> None:
    found = on(kind, rough(), blocking=blocking)
    called_for_each(found)
    assert {"not_json", "empty", "no_station"} <= set(found.truth.reasons)
    assert set(Fate) - {Fate.LOST, Fate.OUTAGE_LOST} == {Fate(each.fate) for each in found.told}


@pytest.mark.parametrize("layer", [Imperfections.none(), rough()], ids=["perfect", "rough"])
def test_a_week_of_hourly_pushes_is_known(layer: Imperfections) -> None:
    found = on("virtual", layer, (None,), story=SLOW_WEEK)
    called_for_each(found)
    assert set(SLOW_WEEK.topics) == set(found.truth.sent)


def test_every_configured_field_is_on_the_wire_under_its_own_name() -> None:
    lacking: dict[str, set[str]] = {}
    for record in Telling(list(Network(PROFILE).stories()), PROFILE).records(
        NEW_YEAR.steps_s[-1] * 1000
    ):
        items, _ = read(record.topic, record.value)
        fields = config.TOPIC_DETAIL.get(record.topic, {}).get("fields", ())
        for item in (item for own in items.values() for item in own):
            told = {**item, **item.get("gunPower", {})}
            if "feeNo48" in told:
                told["feeNo"] = [told[f"feeNo{number}"] for number in range(1, 49)]
            lacking.setdefault(record.topic, set()).update(set(fields) - set(told))
    assert {topic: set() for topic in TOPICS} == lacking


def _all_are_there(counted: tuple[str, ...], views: Any) -> Any:
    return WHOLE_QUALITY(counted, dict.fromkeys(counted))


def _by_arrival(self: Devices, values: Any, timestamp: float | None, now: float) -> Outcome:
    return NEWEST_DEVICE(self, values, None, now)


WHOLE_QUALITY, NEWEST_DEVICE, AGE = inputs._quality, Devices.add, price._age
BREAKAGES: dict[str, tuple[Any, str, Any]] = {
    "nothing is missing": (inputs, "_quality", _all_are_there),
    "late devices win": (Devices, "add", _by_arrival),
    "seconds are never complete": (seconds, "QUIET_SECONDS", 1e9),
    "the oldest tariff holds": (price, "_age", lambda item: -AGE(item)),
    "results stay in their envelope": (outputs, "_result", lambda payload: payload),
    "refusals are not counted": (Counters, "refuse", lambda self, reason: None),
}


@pytest.mark.parametrize("breakage", BREAKAGES.values(), ids=BREAKAGES.keys())
def test_a_broken_service_is_found(
    breakage: tuple[Any, str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*breakage)
    with pytest.raises(AssertionError):
        on("virtual", rough(), (None,))


def test_an_hour_at_the_wrong_place_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hourly, "HOUR_SECONDS", 3700)
    with pytest.raises(AssertionError):
        on("virtual", Imperfections.none(), (None,), story=SLOW_WEEK)
