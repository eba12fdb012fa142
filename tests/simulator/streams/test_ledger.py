"""The ledger's book-keeping."""

import tracemalloc
from collections.abc import Sequence

import orjson

from station_sim.streams.ledger import Entry, Fate, Ledger
from station_sim.streams.record import Record


def a_record(number: int, *stations: str, topic: str = "T") -> Record:
    key = stations[0] if len(stations) == 1 else None
    value = bytes(memoryview(orjson.dumps({"n": number})))  # orjson keeps 4 KiB reserved
    return Record(1000 * number, 1000 * number, topic, key, value, 1000 * number, stations)


def numbers(entries: Sequence[Entry]) -> list[int]:
    return [entry.value["n"] for entry in entries]


def test_an_entry_keeps_the_truth() -> None:
    ledger = Ledger()
    entry = ledger.record(a_record(3, "a"))
    assert (0, "T", "a", ("a",), {"n": 3}, 3000, 3) == (
        entry.seq,
        entry.topic,
        entry.key,
        entry.stations,
        entry.value,
        entry.timestamp_ms,
        entry.due_s,
    )
    assert (Fate.DUE, None, None) == (entry.fate, entry.sent_s, entry.offset)


def test_stations_are_asked_in_sending_order() -> None:
    ledger = Ledger()
    first, second, both, nobody = (
        ledger.record(each)
        for each in (a_record(1, "a"), a_record(2, "a"), a_record(3, "a", "b"), a_record(4))
    )
    for at_s, entry in enumerate((second, both, nobody, first)):
        ledger.sent(entry, 0, at_s)
    assert [2, 3, 1] == numbers(ledger.of_station("a", "T"))
    assert [3] == numbers(ledger.of_station("b", "T"))
    assert [4] == numbers(ledger.of_station(None, "T"))
    assert [] == list(ledger.of_station("c", "T"))
    assert ["a", "b"] == ledger.stations("T")


def test_partitions_are_asked_in_offset_order_even_if_answers_cross() -> None:
    ledger = Ledger()
    entries = [ledger.record(a_record(n, "a")) for n in range(5)]
    for entry in entries:
        ledger.sent(entry, 2, 0.0)
    ledger.acknowledged(entries[3:], 103, 1.5)
    ledger.acknowledged(entries[:3], 100, 2.5)
    assert [0, 1, 2, 3, 4] == numbers(ledger.in_partition("T", 2))
    assert [100, 101, 102, 103, 104] == [each.offset for each in ledger.in_partition("T", 2)]
    assert ledger.at_offset("T", 2, 103) is entries[3]
    assert ledger.at_offset("T", 2, 105) is None
    assert [2] == ledger.partitions("T")


def test_an_acknowledgement_without_an_offset_leaves_it_unknown() -> None:
    ledger = Ledger()
    entry = ledger.record(a_record(1, "a"))
    ledger.sent(entry, 0, 0.0)
    ledger.acknowledged([entry], -1, 1.0)
    assert (1.0, None) == (entry.acked_s, entry.offset)
    assert [] == list(ledger.in_partition("T", 0))


def test_observers_hear_of_a_record_when_it_is_handed_over() -> None:
    ledger = Ledger()
    heard: list[tuple[int, int | None, float | None, int | None]] = []
    ledger.observe_sent(
        lambda each: heard.append((each.value["n"], each.partition, each.sent_s, each.offset))
    )
    entry = ledger.record(a_record(7, "a"))
    assert [] == heard
    ledger.sent(entry, 1, 2.5)
    assert [(7, 1, 2.5, None)] == heard


def test_fates_are_counted() -> None:
    ledger = Ledger()
    due, held, late, sent, failed = (ledger.record(a_record(n, "a")) for n in range(5))
    ledger.hold(held)
    ledger.hold(late)
    ledger.sent(late, 0, 1.0)
    ledger.sent(sent, 0, 1.0)
    ledger.acknowledged([sent], 0, 2.0)
    ledger.failed([failed])
    expected = {"due": 1, "held": 1, "late": 1, "sent": 1, "failed": 1, "acknowledged": 1}
    assert {"T": expected} == ledger.counts()
    assert Fate.DUE is due.fate


def test_a_record_costs_less_than_800_bytes() -> None:
    ledger = Ledger()
    tracemalloc.start()
    try:
        entries = [ledger.record(a_record(n, "a")) for n in range(2000)]
        for entry in entries:
            ledger.sent(entry, 0, 1.0)
        ledger.acknowledged(entries, 0, 2.0)
        held_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held_bytes < 800 * len(entries)
