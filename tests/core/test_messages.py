"""The wire: every envelope, every reason, and bytes that mean nothing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_analysis.messages import LARGEST_VALUE_BYTES, Scope, read_message
from data_analysis.refusals import Reason, looks_shallow, too_deep

BOTH = (Scope.STATION, Scope.EVERYONE)


@pytest.mark.parametrize(
    ("value", "stations"),
    [
        ({"stationId": "A", "x": 1}, {"A": [{"stationId": "A", "x": 1}]}),
        ([{"stationId": "A"}, {"stationId": "B"}], {"A": 1, "B": 1}),
        ([{"stationId": "A", "x": 1}, {"stationId": "A", "x": 2}], {"A": 2}),
        ({"fee": [{"stationId": "B"}, {"stationId": "A"}]}, {"B": 1, "A": 1}),
        ({"weather": [{"stationId": "A"}]}, {"A": 1}),
        ({"photovoltaicMessage": [{"stationId": "A"}]}, {"A": 1}),
        ({"batch_id": "b", "results": [{"station_id": "A"}]}, {"A": 1}),
        ({"stationId": 1881540927845654529}, {"1881540927845654529": 1}),
    ],
)
def test_every_envelope_is_found(value: object, stations: dict[str, object]) -> None:
    message = read_message(json.dumps(value).encode(), BOTH)
    assert [] == message.reasons
    assert list(stations) == list(message.stations)
    for station, items in stations.items():
        assert items in (message.stations[station], len(message.stations[station]))


def test_a_calendar_is_for_everyone_where_the_topic_allows_it() -> None:
    value = b'{"calendar": [{"date": "2026-01-01"}]}'
    assert {"calendar": [{"date": "2026-01-01"}]} == read_message(value, BOTH).everyone
    refused = read_message(value, (Scope.STATION,))
    assert (None, [Reason.WRONG_ENVELOPE]) == (refused.everyone, refused.reasons)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Reason.EMPTY),
        (b"", Reason.EMPTY),
        (b"{}", Reason.EMPTY),
        (b"[]", Reason.EMPTY),
        (b'{"fee": []}', Reason.EMPTY),
        (b'{"calendar": []}', Reason.EMPTY),
        (b"{not json", Reason.NOT_JSON),
        (b"\xff\xfe", Reason.NOT_JSON),
        (b'{"stationId": "A", "x": NaN}', Reason.NOT_A_NUMBER),
        (b"3", Reason.WRONG_ENVELOPE),
        (b'"text"', Reason.WRONG_ENVELOPE),
        (b"null", Reason.WRONG_ENVELOPE),
        (b'{"x": 1}', Reason.NO_STATION),
        (b'{"stationId": ""}', Reason.NO_STATION),
        (b'{"stationId": null}', Reason.NO_STATION),
        (b'{"stationId": 1.5}', Reason.BAD_ID),
        (b'{"stationId": true}', Reason.BAD_ID),
        (b'{"stationId": ["A"]}', Reason.BAD_ID),
        (b'{"stationId": 123456789012345678901234567890}', Reason.BAD_ID),
        (b'{"stationId": "' + b"x" * 300 + b'"}', Reason.BAD_ID),
        (b'[1, "x"]', Reason.BAD_ITEM),
        (b'{"stationId":"A","x":' + b"[" * 64 + b"]" * 64 + b"}", Reason.TOO_DEEP),
        (b"[" * 100_000, Reason.TOO_DEEP),
        (b" " * (LARGEST_VALUE_BYTES + 1), Reason.TOO_LARGE),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_every_bad_record_has_its_reason(value: bytes | None, reason: Reason) -> None:
    message = read_message(value, BOTH)
    assert reason in message.reasons
    assert ({}, None) == (message.stations, message.everyone)


def test_sixty_four_levels_are_not_too_deep() -> None:
    value = b'{"stationId":"A","x":' + b"[" * 63 + b"]" * 63 + b"}"
    assert ["A"] == list(read_message(value, BOTH).stations)


def test_good_items_of_a_bad_record_are_used() -> None:
    message = read_message(b'[{"stationId": "A"}, {"x": 1}, 3, {"stationId": "B"}]', BOTH)
    assert ["A", "B"] == list(message.stations)
    assert [Reason.NO_STATION, Reason.BAD_ITEM] == message.reasons


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text()),
    lambda inner: st.one_of(
        st.lists(inner),
        st.dictionaries(st.sampled_from(["stationId", "fee", "results", "calendar", "x"]), inner),
    ),
)


@given(st.one_of(st.binary(), JSON.map(lambda value: json.dumps(value).encode())))
def test_no_bytes_raise_and_each_leaves_something_or_a_reason(value: bytes) -> None:
    message = read_message(value, BOTH)
    assert message.stations or message.everyone is not None or message.reasons


def test_items_of_many_hours_go_on_in_the_order_of_their_time() -> None:
    for key in ("realTimeData", "fee"):
        items = [
            {"stationId": "A", "sendTime": f"2026-03-01 {hour:02}:00:00", "x": hour}
            for hour in (3, 1, 2)
        ]
        message = read_message(json.dumps({key: [*items, {"stationId": "A"}]}).encode(), BOTH)
        assert [None, 1, 2, 3] == [item.get("x") for item in message.stations["A"]]


def test_days_of_a_calendar_that_are_none_are_counted_and_the_others_used() -> None:
    some = read_message(b'{"calendar": [{"date": "2026-01-01"}, 7, null]}', BOTH)
    assert [Reason.BAD_ITEM, Reason.BAD_ITEM] == some.reasons
    assert some.everyone is not None
    none = read_message(b'{"calendar": [7]}', BOTH)
    assert (None, [Reason.BAD_ITEM]) == (none.everyone, none.reasons)


NESTED = st.recursive(
    st.one_of(st.integers(0, 9), st.text('[]{}"\\a中', max_size=4)),
    lambda inside: st.one_of(
        st.lists(inside, max_size=3), st.dictionaries(st.text('[]{}"\\', max_size=2), inside)
    ),
    max_leaves=30,
)


LEAF = st.one_of(st.integers(0, 9), st.text('[]{}"\\a', max_size=3))
FIELD = st.one_of(LEAF, LEAF, LEAF, st.just([]), st.just({}), st.just([{}]))
ITEM = st.fixed_dictionaries(
    {"stationId": st.sampled_from(["A", "B", "[", "{", ""])}, optional={"x": FIELD, "output": FIELD}
)
LIST = st.lists(st.one_of(ITEM, ITEM, ITEM, FIELD), max_size=4)
WRAPPED = st.fixed_dictionaries(
    {},
    optional={
        "realTimeData": LIST,
        "results": st.one_of(LIST, st.dictionaries(st.sampled_from("ABC"), FIELD)),
        "other": FIELD,
    },
)


@given(st.one_of(ITEM, LIST, WRAPPED), st.sampled_from([BOTH, (Scope.RESULT,)]))
def test_what_is_said_to_be_flat_holds_nothing(content: Any, scopes: tuple[Scope, ...]) -> None:
    message = read_message(json.dumps(content).encode(), scopes)
    items = [item for some in message.stations.values() for item in some]
    holds = any(isinstance(value, list | dict) for item in items for value in item.values())
    assert not (message.flat and holds)


def test_batches_of_plain_items_are_flat() -> None:
    items = [{"stationId": "A", "x": 1}, {"stationId": "B", "x": 2}]
    for content in (items, {"realTimeData": items}):
        assert read_message(json.dumps(content).encode(), BOTH).flat


@given(NESTED, st.integers(1, 4), st.booleans())
def test_brackets_never_hide_depth(content: Any, levels: int, ascii_only: bool) -> None:
    value = json.dumps(content, ensure_ascii=ascii_only).encode()
    assert not (looks_shallow(value, levels) and too_deep(content, levels))


@given(st.recursive(st.none(), lambda inside: st.lists(inside, max_size=2), max_leaves=90))
def test_brackets_alone_tell_the_depth_where_no_text_has_any(content: Any) -> None:
    value = json.dumps({'a "quoted" \\': content}).encode()
    for levels in range(1, 8):
        assert too_deep({"": content}, levels) is not looks_shallow(value, levels)
