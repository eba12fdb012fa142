"""What one topic says within a chunk, still in columns: due times, fates, values.

Turned into records here, once everything is decided. Order among stations is `telling`'s.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from station_sim.streams.fates import DUPLICATED, MALFORMED, Fates
from station_sim.streams.malformed import spoil
from station_sim.streams.noise import Bits, Ints
from station_sim.streams.record import FATES, Record
from station_sim.streams.schedule import Schedule

Stations = tuple[str, ...]


@dataclass(slots=True)
class Told:
    """Columns of one length; `values` is empty until they were asked for.

    `key` is the station's id, or None. `stations` are the ids that each record speaks of, or the
    same ones for all. `schedule` is a station's. `rank`, then `ordinals`, order records of one
    instant.
    """

    topic: str
    key: str | None
    stations: Stations | list[Stations]
    rank: int
    ordinals: Ints
    due_ms: Ints
    stamps_ms: Ints
    bits: Bits
    fates: Fates
    values: list[bytes]
    schedule: Schedule | None

    def records(self) -> Iterator[Record]:
        """Those that go out by themselves, in the order of the columns."""
        stations = self.stations
        each = stations if isinstance(stations, list) else [stations] * len(self.due_ms)
        sent_ms = (self.due_ms + self._first_delays()).tolist()
        topics, keys = [self.topic] * len(each), [self.key] * len(each)
        due_ms, stamps = self.due_ms.tolist(), self.stamps_ms.tolist()
        values = self._spoilt()
        if not self.fates.codes.any():
            yield from map(Record, due_ms, sent_ms, topics, keys, values, stamps, each)
            return
        names = [FATES[code] for code in self.fates.codes.tolist()]
        made = list(map(Record, due_ms, sent_ms, topics, keys, values, stamps, each, names))
        if not self.fates.sent().all():
            for place in np.flatnonzero(self.fates.sent()).tolist():
                yield made[place]
        else:
            yield from made

    def order_keys(self) -> tuple[Ints, Ints, Ints]:
        """(sent, rank with ordinal, due) of the records that `records` yields."""
        sent_ms, ranks = self.due_ms + self._first_delays(), self.rank + self.ordinals
        if not self.fates.codes.any():
            return sent_ms, ranks, self.due_ms
        goes = self.fates.sent()
        return sent_ms[goes], ranks[goes], self.due_ms[goes]

    def second_copies(self) -> list[tuple[tuple[int, int, int], Record]]:
        """Duplicates' second copies, with the keys that order them."""
        places = np.flatnonzero(self.fates.codes == DUPLICATED).tolist()
        found = []
        for place in places:
            due = int(self.due_ms[place])
            sent = due + int(self.fates.delays_ms[place])
            told = self.stations
            record = Record(
                due,
                sent,
                self.topic,
                self.key,
                self.values[place],
                int(self.stamps_ms[place]),
                told[place] if isinstance(told, list) else told,
                FATES[DUPLICATED],
            )
            found.append(((sent, self.rank + int(self.ordinals[place]), due), record))
        return found

    def _first_delays(self) -> Ints:
        """A duplicate's first copy goes out in time."""
        delays = self.fates.delays_ms
        if not delays.any():
            return delays
        found: Ints = np.where(self.fates.codes == DUPLICATED, 0, delays)
        return found

    def _spoilt(self) -> list[bytes]:
        places = np.flatnonzero(self.fates.codes == MALFORMED).tolist()
        if not places:
            return self.values
        values = list(self.values)
        for place in places:
            values[place] = spoil(values[place], int(self.bits[place] >> np.uint64(1)))
        return values
