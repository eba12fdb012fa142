"""Recorded records made ready to be sent again: chosen, moved in time, and made imperfect anew.

Where they come from is `recorded`'s; where they go is `sending`'s.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import islice
from typing import Any

import numpy as np
import orjson

from station_sim.outputs.recorded import Recorded
from station_sim.streams.fates import DUPLICATED, MALFORMED, decide
from station_sim.streams.imperfections import Cadence, Imperfections
from station_sim.streams.malformed import spoil
from station_sim.streams.noise import hashed, stream_key
from station_sim.streams.outages import Outages, outages
from station_sim.streams.record import FATES, Record
from station_sim.streams.topics.registry import CADENCES

WRAPPERS = ("realTimeData", "fee", "weather", "photovoltaicMessage", "results")
TIME_FIELDS = frozenset({"sendTime", "timestamp", "startChargeTime", "endChargeTime"})
OPEN_ENDED = "2070"
BATCH = 5_000
MONTH_MS = 30 * 86_400_000


def of_stations(rows: Iterable[Recorded], stations: Collection[str]) -> Iterator[Recorded]:
    """Records of these stations: keyed ones whole, of others the items that speak of them."""
    for row in rows:
        if row.key is not None:
            if row.key in stations:
                yield row
            continue
        value = _only(row.value, stations)
        if value is not None:
            yield Recorded(row.at_ms, row.topic, None, value, row.timestamp_ms)


def moved(rows: Iterable[Recorded], shift_ms: int) -> Iterator[Recorded]:
    """Records with their time of sending, their timestamp and the times they tell shifted."""
    shift = timedelta(milliseconds=shift_ms)
    for row in rows:
        value = _moved_value(row.value, shift) if shift_ms else row.value
        yield Recorded(row.at_ms + shift_ms, row.topic, row.key, value, row.timestamp_ms + shift_ms)


def as_records(rows: Iterable[Recorded], origin_ms: int) -> Iterator[Record]:
    """Records whose story begins at an epoch millisecond."""
    for row in rows:
        at_ms = row.at_ms - origin_ms
        stations = () if row.key is None else (row.key,)
        yield Record(at_ms, at_ms, row.topic, row.key, row.value, row.timestamp_ms, stations)


def imperfect(
    records: Iterable[Record], layer: Imperfections, seed: int, origin_ms: int
) -> Iterator[Record]:
    """Records with a layer of imperfections on top, by their new time of sending."""
    waiting: list[tuple[int, int, Record]] = []
    down: dict[str | None, Outages] = {}
    source, number = iter(records), 0
    while batch := list(islice(source, BATCH)):
        for place, copies in _struck(batch, number, layer, seed, down).items():
            for copy in copies:
                heappush(waiting, (copy.sent_ms, number + place, copy))
        newest = batch[-1].due_ms
        number += len(batch)
        while waiting and waiting[0][0] <= newest:
            yield heappop(waiting)[2]
    while waiting:
        yield heappop(waiting)[2]


def _struck(
    batch: list[Record],
    number: int,
    layer: Imperfections,
    seed: int,
    down: dict[str | None, Outages],
) -> dict[int, list[Record]]:
    """What becomes of each of the records, by place: nothing, one, or two of it."""
    groups: defaultdict[tuple[str, str | None], list[int]] = defaultdict(list)
    for place, record in enumerate(batch):
        groups[record.topic, record.key].append(place)
    found: dict[int, list[Record]] = {}
    for (topic, key), places in groups.items():
        due_ms = np.array([batch[place].due_ms for place in places], dtype=np.int64)
        counters = np.array(places, dtype=np.int64) + number
        bits = hashed(stream_key(seed, "replay", topic, str(key)), counters)
        cadence = CADENCES.get(topic, Cadence.QUARTER)
        period_ms = np.full(len(places), 1000 if cadence is Cadence.SECOND else 15_000)
        if key not in down or int(due_ms[-1]) >= MONTH_MS:
            until_ms = int(due_ms[-1]) + MONTH_MS
            down[key] = outages(seed, f"replay/{key}", layer, until_ms)
        fates = decide(due_ms, period_ms, bits, layer.rates[cadence], down[key])
        sent = fates.sent().tolist()
        for index, place in enumerate(places):
            record, code = batch[place], int(fates.codes[index])
            delay_ms = int(fates.delays_ms[index])
            if not sent[index]:
                continue
            if code == 0:
                found[place] = [record]
                continue
            record = record._replace(fate=FATES[code])
            late = record._replace(sent_ms=record.sent_ms + delay_ms)
            if code == MALFORMED:
                late = record._replace(value=spoil(record.value, int(bits[index] >> np.uint64(1))))
            found[place] = [record, late] if code == DUPLICATED else [late]
    return found


def _only(value: bytes, stations: Collection[str]) -> bytes | None:
    """A value of many stations with the items of some; None where none is left."""
    try:
        found: Any = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    if isinstance(found, list):
        kept = [each for each in found if _id(each) in stations]
        return orjson.dumps(kept) if kept else None
    if not isinstance(found, dict):
        return None
    for wrapper in WRAPPERS:
        if isinstance(found.get(wrapper), list):
            kept = [each for each in found[wrapper] if _id(each) in stations]
            return orjson.dumps({**found, wrapper: kept}) if kept else None
    station = _id(found)
    return value if station is None or station in stations else None


def _id(item: Any) -> str | None:
    if not isinstance(item, dict):
        return None
    found = item.get("stationId", item.get("station_id"))
    return found if isinstance(found, str) else None


def _moved_value(value: bytes, shift: timedelta) -> bytes:
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
    return orjson.dumps(_moved(found, shift))


def _moved(found: Any, shift: timedelta) -> Any:
    if isinstance(found, list):
        return [_moved(each, shift) for each in found] if _has_objects(found) else found
    if not isinstance(found, dict):
        return found
    return {
        name: _moved_time(each, shift) if name in TIME_FIELDS else _moved(each, shift)
        for name, each in found.items()
    }


def _has_objects(found: list[Any]) -> bool:
    return bool(found) and isinstance(found[0], dict | list)


def _moved_time(told: Any, shift: timedelta) -> Any:
    if isinstance(told, float | int) and not isinstance(told, bool):
        return told + shift.total_seconds()
    if not isinstance(told, str) or told.startswith(OPEN_ENDED):
        return told
    try:
        return (datetime.fromisoformat(told) + shift).isoformat(" ", "seconds")
    except ValueError:
        return told
