"""Hourly pushes, in columns, against a model that looks at item by item."""

import json
from collections import Counter
from datetime import datetime, timedelta
from operator import itemgetter
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data_analysis import config
from data_analysis.messages import Message, read_message
from data_analysis.settings import load_settings
from data_analysis.topics import family_of
from data_analysis.topics.tables import Table, table_of
from tests.core.payloads import HOURLY
from tests.core.rig import Rig

SERIES = ("outputPowerPerGunAvg", "outputPowerPerGunMax")
OF_STATION = ("outputPowerPerStationAvg", "outputPowerPerStationMax")
TIMES = [f"2026-03-01 {hour:02}:00:00" for hour in range(6, 12)]
ODD_TIMES = ["2026-03-01T09:00:00", "2026-03-01 09:00:00.5", "2026-03-01 09:59:59"]
BAD_TIMES = [None, "yesterday", "2026-02-30 11:00:00", 20260301, [1], "2026-03-01 11:00:00+08:00"]
ABSENT = "absent"
HOSTS = ["H1", "H2", None, 7, [1], ABSENT]
SIZE = 3
FLOATS = st.sampled_from([0.0, -0.0, 1.5, 80.25, 1e300])
NUMBERS = st.sampled_from([0, 1, 1.0, None, 80.25])
WRONG = st.sampled_from(["1.0", True, [1.0], {"x": 1}])


@st.composite
def _power(draw: st.DrawFn, numbers: st.SearchStrategy[Any], odd: bool) -> Any:
    names: list[Any] = [*draw(st.permutations(["01", "02", "03"]))][: draw(st.integers(0, 3))]
    if odd:
        given_instead = draw(st.sampled_from([names, names, [*names, "01"], [1], [True], "01", 3]))
        names = given_instead
    count = len(names) if isinstance(names, list) else 1
    power: dict[str, Any] = {"gunNo": names}
    for name in SERIES:
        power[name] = draw(st.lists(numbers, min_size=count, max_size=count))
    if odd:
        for name in draw(st.lists(st.sampled_from([*power]), max_size=1)):
            power[name] = draw(st.sampled_from([None, [], [1.0], 7, power[name]]))
        for name in draw(st.lists(st.sampled_from([*power]), max_size=1)):
            del power[name]
        power = draw(st.sampled_from([power, power, power, {**power, "z": [1, {"y": [2]}]}]))
        return draw(st.sampled_from([power, power, power, None, ABSENT, 3, [], {}]))
    return power


@st.composite
def _item(draw: st.DrawFn, numbers: st.SearchStrategy[Any], odd: bool) -> dict[str, Any]:
    times = [*TIMES, *ODD_TIMES, *BAD_TIMES, ABSENT] if odd else TIMES
    item: dict[str, Any] = {
        "stationId": draw(st.sampled_from(["A", "B", "C"])),
        "hostCode": draw(st.sampled_from(HOSTS if odd else HOSTS[:2])),
        "sendTime": draw(st.sampled_from(times)),
        "gunPower": draw(_power(numbers, odd)),
    }
    for name in OF_STATION:
        item[name] = draw(st.one_of(numbers, st.just(ABSENT)) if odd else numbers)
    if odd:
        item["more"] = draw(st.sampled_from([ABSENT, [1, {"x": []}]]))
    return {key: value for key, value in item.items() if value is not ABSENT}


@st.composite
def _items(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Items of a record: plain ones, such with other numbers, or with anything."""
    numbers = draw(st.sampled_from([FLOATS, FLOATS, NUMBERS, st.one_of(NUMBERS, WRONG)]))
    odd = draw(st.booleans())
    return draw(st.lists(_item(numbers, odd), min_size=1, max_size=12))


# The model.


def _is_number(value: Any) -> bool:
    return value is None or type(value) in (int, float)


def _is_good(item: dict[str, Any]) -> bool:
    power = item.get("gunPower")
    if type(item.get("hostCode")) not in (str, int, type(None)):
        return False
    if not all(_is_number(item.get(name)) for name in OF_STATION):
        return False
    if power is None:
        return True
    if type(power) is not dict or type(power.get("gunNo")) is not list:
        return False
    if not all(type(gun) in (str, int) for gun in power["gunNo"]):
        return False
    for name in SERIES:
        series = power.get(name)
        if series is None:
            continue
        if type(series) is not list or len(series) != len(power["gunNo"]):
            return False
        if not all(map(_is_number, series)):
            return False
    return True


def _time(item: dict[str, Any]) -> datetime | None:
    text = item.get("sendTime")
    if type(text) is not str or not 19 <= len(text) <= 26:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if time.tzinfo else time.replace(microsecond=0)


def _sifted(items: list[Any]) -> tuple[list[Any], list[str]]:
    """The items of one station in their order, and the reasons against others."""
    good = [item for item in sorted(items, key=_text) if _is_good(item)]
    refused = ["bad_item"] * (len(items) - len(good))
    timed = [(time, item) for item in good if (time := _time(item)) is not None]
    if not timed:
        return good, refused
    refused += ["bad_time"] * (len(good) - len(timed))
    return [item for _, item in sorted(timed, key=itemgetter(0))], refused


def _text(item: dict[str, Any]) -> str:
    text = item.get("sendTime")
    return text if isinstance(text, str) else ""


def _shown(items: list[Any], size: int) -> dict[str, Any]:
    """What an input shows of the items of a station, in their order."""
    newest = _time(items[-1])
    if newest is None:
        items = items[-size:]
        marks: list[Any] = [item.get("sendTime") for item in items]
        placed = list(enumerate(items))
        ahead = [None] * (size - len(items))
    else:
        marks = [str(newest - timedelta(hours=back)) for back in reversed(range(size))]
        ages = [(newest - (_time(item) or newest)) // timedelta(hours=1) for item in items]
        placed = [
            (size - 1 - age, item) for age, item in zip(ages, items, strict=True) if age < size
        ]
        ahead = []
    axis: dict[tuple[Any, Any], None] = {}
    tables: dict[str, dict[Any, Any]] = {name: {} for name in SERIES}
    lines: dict[str, dict[int, Any]] = {name: {} for name in OF_STATION}
    for place, item in placed:
        power = item.get("gunPower") or {"gunNo": []}
        guns = [(item.get("hostCode"), gun) for gun in power["gunNo"]]
        axis.update(dict.fromkeys(guns))
        for name in SERIES:
            values = power.get(name) or []
            for gun, value in zip(guns, values, strict=False):
                tables[name][place, gun] = value
        for name in OF_STATION:
            if item.get(name) is not None or place not in lines[name]:
                lines[name][place] = item.get(name)
    shown: dict[str, Any] = {
        "hostCode": [host for host, _ in axis],
        "gunNo": [gun for _, gun in axis],
    }
    shown["sendTime"] = ahead + marks
    for name in SERIES:
        table = tables[name]
        rows = [[table.get((place, gun), 0.0) for gun in axis] for place in range(len(marks))]
        shown[name] = ahead + rows
    for name in OF_STATION:
        shown[name] = ahead + [lines[name].get(place, 0.0) for place in range(len(marks))]
    return shown


def _exact(value: Any) -> str:
    """Values of other types, and zeros of another sign, differ."""
    return repr(value)


# What holds.


def _sift(items: list[Any]) -> Message:
    family = family_of(load_settings(config).topics[HOURLY])
    message = read_message(json.dumps({"realTimeData": items}).encode(), family.scopes)
    family.sift(message)
    return message


@given(_items())
@settings(deadline=None)
def test_a_record_is_sifted_item_by_item(items: list[Any]) -> None:
    message = _sift(items)
    expected: dict[str, list[Any]] = {}
    reasons: Counter[str] = Counter()
    for station in dict.fromkeys(item["stationId"] for item in items):
        kept, refused = _sifted([item for item in items if item["stationId"] == station])
        reasons.update(refused)
        if kept:
            expected[station] = kept
    pushes = {station: push.items() for station, (push,) in message.stations.items()}
    assert reasons == Counter(reason.value for reason in message.reasons)
    assert [*expected] == [*pushes]
    assert expected == pushes
    for station, kept in expected.items():
        for item, came in zip(kept, pushes[station], strict=True):
            assert {key: _exact(item[key]) for key in item if key != "gunPower"} == {
                key: _exact(came[key]) for key in came if key != "gunPower"
            }


@given(_items())
@settings(deadline=None)
def test_a_push_is_shown_hour_by_hour(items: list[Any]) -> None:
    detail = {**config.TOPIC_DETAIL[HOURLY], "modules": ["m"], "window_size": SIZE}
    rig = Rig(SimpleNamespace(TOPIC_DETAIL={HOURLY: detail}, MODULE_DEPENDENCIES={}))
    rig.feed(HOURLY, json.dumps({"realTimeData": items}).encode(), 1000)
    for station in dict.fromkeys(item["stationId"] for item in items):
        kept, _ = _sifted([item for item in items if item["stationId"] == station])
        if kept:
            shown = rig.dispatcher.get_module_input(station, "m")
            for name, expected in _shown(kept, SIZE).items():
                assert (name, _exact(expected)) == (name, _exact(shown[name]))


@given(
    st.lists(st.lists(st.one_of(FLOATS, NUMBERS, WRONG), max_size=3), min_size=1, max_size=5),
    st.data(),
)
def test_a_table_is_of_lists_of_floats_alone(lists: list[Any], data: st.DataObject) -> None:
    counts = [len(each) for each in lists]
    kinds = {type(value) for each in lists for value in each}
    table = table_of(tuple(lists), np.array(counts, np.intp))
    assert (kinds <= {float}) == (table is not None)
    assert table_of(tuple(lists), np.array([*counts[1:], 7], np.intp)) is None
    assert table_of(tuple(map(tuple, lists)), np.array(counts, np.intp)) is None
    if table is not None:
        rows = tuple(map(tuple, lists))
        assert _exact(lists) == _exact(table.lists())
        assert table == rows
        assert rows == table
        assert table == table_of(tuple(lists), np.array(counts, np.intp))
        places = data.draw(st.lists(st.integers(0, len(lists) - 1), min_size=1))
        assert [lists[at] for at in places] == table.picked(places).lists()
        start = data.draw(st.integers(0, len(lists) - 1))
        parts = table.split([0, start, len(lists)])
        assert [lists[:start], lists[start:]] == [
            part.lists() if len(part) else [] for part in parts
        ]


def test_tables_that_differ_are_not_equal() -> None:
    one = table_of(([1.0, 2.0], [3.0]), np.array([2, 1]))
    assert one != table_of(([1.0], [2.0, 3.0]), np.array([1, 2]))
    assert one != table_of(([1.0, 2.0], [4.0]), np.array([2, 1]))
    assert isinstance(one, Table)
    assert one != 3
