"""Bad input: no exception leaves the engine, good neighbours are used, reasons are counted."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.parsing_cases import Case, cases
from tests.core.payloads import CALENDAR, HOURLY, OUTPUT, WRAPPERS, item, wrapped
from tests.core.rig import TOPICS, Rig

CASES = cases()
BEFORE, AFTER = "before", "after"
HOLE = "a hole for a text"


def _text(topic: str, items: list[Any]) -> bytes:
    """A record of these items; a calendar's are days, that know no station."""
    return json.dumps(wrapped(topic, items)).encode()


def _record(topic: str, text: bytes) -> bytes:
    """A record whose second item of three has `text` for a value."""
    items = [item(topic, BEFORE), item(topic, "A", extra=HOLE), item(topic, AFTER)]
    return _text(topic, items).replace(json.dumps(HOLE).encode(), text)


def _alone(topic: str, text: bytes) -> bytes:
    """A record of one item, as most topics have it."""
    value = item(topic, "A", extra=HOLE)
    if topic in (CALENDAR,):
        value = {"calendar": [value]}
    return json.dumps(value).encode().replace(json.dumps(HOLE).encode(), text)


def test_there_are_enough_cases_and_each_is_another() -> None:
    assert len(CASES) >= 300
    assert len(CASES) == len({case.text for case in CASES})
    assert {"accept", "refuse", "alone", "either"} == {case.verdict for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdicts_are_those_of_the_standard_library(case: Case) -> None:
    """That the table is right: another parser, which is lenient about what only an item loses."""
    if case.verdict == "either":
        return
    try:
        json.loads(case.text.decode())
    except (ValueError, RecursionError):
        assert "refuse" == case.verdict
    else:
        assert case.verdict in ("accept", "alone")


@pytest.mark.parametrize("topic", TOPICS)
def test_every_case_in_every_envelope(topic: str) -> None:
    rig = Rig()
    everyone = topic == CALENDAR
    rig.dispatcher.ensure_station("A", rig.clock.now)
    for number, case in enumerate(CASES):
        for record in (_record(topic, case.text), _alone(topic, case.text)):
            before = sum(rig.reasons.values())
            called = set(rig.feed(topic, record, number * 1000))
            refused = sum(rig.reasons.values()) - before
            whole = record == _record(topic, case.text)
            neighbours = {BEFORE, AFTER} if whole else set()
            wanted = {
                "accept": [({"A"} | neighbours, False)],
                "refuse": [(set(), True)],
                "alone": [(neighbours, True)],
                "either": [({"A"} | neighbours, False), (set(), True), (neighbours, True)],
            }[case.verdict]
            if everyone:
                wanted = [({"A"} if stations else set(), bad) for stations, bad in wanted]
            assert (called, refused > 0) in wanted, (case.name, record[:200])
            assert refused <= 1, case.name
    assert 2 * len(CASES) == rig.committable(topic)
    assert rig.feed(topic, _record(topic, b"1"), 10**9)


def test_an_accepted_value_is_what_it_says() -> None:
    rig = Rig()
    for number, case in enumerate(CASES):
        if case.verdict == "accept":
            value = b'{"stationId":"A","totalPower":%b}' % case.text
            shown = rig.feed("REAL-STATION-DATA", value, number)["A"]["load_prediction"]
            assert json.loads(case.text) == shown["totalPower"], case.name


TEXTS = st.one_of(
    st.text(),
    st.sampled_from(
        ["", "\ud800", "a\udfff", "0000", "2026-02-30 00:00:00", "9999-99-99 99:99:99"]
    ),
    st.sampled_from(["2026-03-01 24:00:00", "0001-01-01 00:00:00", "9999-12-31 23:00:00"]),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([1881540927845654529, 2**63, 2**64, -(2**70), 10**30, 10**400]),
    st.floats(),
    TEXTS,
    st.sampled_from([70, 200]).map(lambda depth: _nested(depth)),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["stationId", "gunNo", "output", "sendTime", "fee", "results", "x"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@st.composite
def _broken(draw: st.DrawFn, topic: str) -> Any:
    """An item of a topic with something wrong in it, or something else altogether."""
    if draw(st.integers(0, 5)) == 0:
        return draw(VALUES)
    broken: dict[str, Any] = item(topic, draw(st.sampled_from(["A", "B", 1881540927845654529])))
    inner = broken.get("gunPower")
    target = inner if inner is not None and draw(st.booleans()) else broken
    keys = st.sampled_from([*target, "sendTime", "calendar", "results", "new"])
    for key in draw(st.lists(keys, min_size=1, max_size=3)):
        if draw(st.booleans()):
            target.pop(key, None)
        else:
            target[key] = draw(VALUES)
    return broken


def _without_neighbours(value: Any) -> bool:
    text = json.dumps(value)
    return BEFORE not in text and AFTER not in text


def _doubled(text: str) -> str:
    """The same object with every first key twice; the last one counts."""
    return text.replace("{", '{"stationId": "twice", "x": 1, "x": 2, ', 1)


@pytest.mark.parametrize("topic", [topic for topic in TOPICS if topic != CALENDAR])
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_neighbours_of_anything_survive(topic: str, data: st.DataObject) -> None:
    broken = data.draw(_broken(topic).filter(_without_neighbours))
    good = [item(topic, BEFORE), item(topic, AFTER)]
    text = _text(topic, [good[0], broken, good[1]]).decode()
    if isinstance(broken, dict) and data.draw(st.booleans()):
        inner = json.dumps(broken)
        text = text.replace(inner, _doubled(inner) if inner != "{}" else inner, 1)
    rig, plain = Rig(), Rig()
    called = rig.feed(topic, text.encode())
    alone = plain.feed(topic, _text(topic, good))
    for station in (BEFORE, AFTER):
        assert alone[station] == called[station]
    assert len(called) == 3 or rig.reasons
    assert 1 == rig.committable(topic)


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_days_beside_anything_survive(data: st.DataObject) -> None:
    broken = data.draw(_broken(CALENDAR))
    days = [item(CALENDAR, date="2026-03-01"), broken, item(CALENDAR, date="2026-03-02")]
    rig = Rig()
    rig.dispatcher.ensure_station("A", rig.clock.now)
    dates = rig.feed(CALENDAR, _text(CALENDAR, days))["A"]["load_prediction"]["date"]
    assert ("2026-03-01", "2026-03-02") == (dates[0], dates[-1])
    assert len(dates) == 3 or rig.reasons


@pytest.mark.parametrize("topic", TOPICS)
@given(
    value=st.one_of(st.binary(max_size=60), VALUES.map(lambda value: json.dumps(value).encode()))
)
@settings(max_examples=30, deadline=None)
def test_anything_for_a_record_is_used_or_counted(topic: str, value: bytes) -> None:
    rig = Rig()
    rig.dispatcher.ensure_station("A", rig.clock.now)
    for wrapped_value in (value, b'{"%b": %b}' % (WRAPPERS.get(topic, "x").encode(), value)):
        before = sum(rig.reasons.values())
        called = rig.feed(topic, wrapped_value)
        assert called or sum(rig.reasons.values()) > before
    assert 2 == rig.committable(topic)
    assert rig.feed(topic, _text(topic, [item(topic)]), 1)


@pytest.mark.parametrize("topic", [HOURLY, OUTPUT, "SCHEDULE-DEVICE-STORAGE"])
def test_a_long_number_for_a_station_is_its_decimal_text(topic: str) -> None:
    rig = Rig()
    number = 1881540927845654529
    called = rig.feed(topic, _text(topic, [item(topic, number)]))
    assert [str(number)] == list(called)
    assert {} == rig.reasons
