"""Recorded records sent again: chosen, moved in time, struck anew."""

from collections import Counter

import orjson

from station_sim.outputs.recorded import Recorded
from station_sim.outputs.replaying import as_records, imperfect, moved, of_stations
from station_sim.streams.imperfections import Imperfections

DAY_MS = 86_400_000


def row(at_ms: int, value: object, key: str | None = "a", topic: str = "T") -> Recorded:
    return Recorded(at_ms, topic, key, orjson.dumps(value), at_ms)


def test_records_of_others_are_left_out_and_lists_are_cut() -> None:
    rows = [
        row(1, {"stationId": "a"}),
        row(2, {"stationId": "b"}, key="b"),
        row(3, {"fee": [{"stationId": "a"}, {"stationId": "b"}]}, key=None),
        row(4, [{"stationId": "b"}], key=None),
        row(5, {"calendar": []}, key=None),
    ]
    found = [(each.at_ms, orjson.loads(each.value)) for each in of_stations(rows, {"a"})]
    assert [
        (1, {"stationId": "a"}),
        (3, {"fee": [{"stationId": "a"}]}),
        (5, {"calendar": []}),
    ] == found


def test_times_move_on_the_wire_and_in_what_is_said() -> None:
    value = {
        "sendTime": "2026-03-01 10:00:00",
        "timestamp": "2026-03-01 23:59:59",
        "endChargeTime": "2070-01-01 00:00:00",
        "results": [{"timestamp": 5.5, "startChargeTime": "soon"}],
    }
    (found,) = moved([row(1000, value)], DAY_MS)
    assert DAY_MS + 1000 == found.at_ms == found.timestamp_ms
    assert {
        "sendTime": "2026-03-02 10:00:00",
        "timestamp": "2026-03-02 23:59:59",
        "endChargeTime": "2070-01-01 00:00:00",
        "results": [{"timestamp": 86405.5, "startChargeTime": "soon"}],
    } == orjson.loads(found.value)


def test_values_that_do_not_move_keep_their_bytes() -> None:
    odd = Recorded(0, "T", "a", b'{ "a": 1 }', 0)
    assert [odd] == list(moved([odd], 0))
    broken = Recorded(0, "T", "a", b"{", 0)
    assert b"{" == next(moved([broken], 5)).value


def test_a_layer_on_top_strikes_as_often_as_it_says() -> None:
    layer = Imperfections(outage_every_days=float("inf"))
    rows = [
        row(1000 * number, {"n": number}, topic="SCHEDULE-CAR-ORDER") for number in range(40_000)
    ]
    found = list(imperfect(as_records(rows, 0), layer, 1, 0))
    fates = Counter(str(each.fate) for each in found)
    assert 0.008 * 40_000 * 0.7 < fates["late"] + fates["very-late"] < 0.008 * 40_000 * 1.3
    assert 40_000 - 0.003 * 40_000 * 1.4 < len({each.due_ms for each in found}) < 40_000
    sent = [each.sent_ms for each in found]
    assert sorted(sent) == sent
    assert found == list(imperfect(as_records(rows, 0), layer, 1, 0))
    assert found != list(imperfect(as_records(rows, 0), layer, 2, 0))


def test_a_perfect_layer_changes_nothing() -> None:
    rows = [row(1000 * number, {"n": number}) for number in range(100)]
    records = list(as_records(rows, 0))
    assert records == list(imperfect(records, Imperfections.none(), 1, 0))
