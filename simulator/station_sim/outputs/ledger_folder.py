"""A run's ledger as a folder of Parquet files, written as the run goes, and asked afterwards.

Tables: `runs` (regular records as ranges), `exceptions` (what happened to single ones), `counts`
(by station, topic and fate), `outages` and `clocks` (why). Values are not kept: tell them anew.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from station_sim.outputs.tables import Rows, Table
from station_sim.streams.ledger_runs import RunLedger
from station_sim.streams.outages import span
from station_sim.streams.record import FATES, Fate
from station_sim.streams.telling import Telling
from station_sim.streams.told import Told
from station_sim.streams.topics.registry import CADENCES

WHERE = [("station_id", pa.string()), ("topic", pa.string()), ("entity", pa.string())]
RUNS = pa.schema(
    [*WHERE, ("first_due_ms", pa.int64()), ("count", pa.int64()), ("period_ms", pa.int64())]
)
EXCEPTIONS = pa.schema(
    [*WHERE, ("due_ms", pa.int64()), ("fate", pa.string()), ("delay_ms", pa.int32())]
)
OUTAGES = pa.schema([("station_id", pa.string()), ("begin_ms", pa.int64()), ("end_ms", pa.int64())])
CLOCKS = pa.schema(
    [("station_id", pa.string()), ("host_code", pa.string()), ("skew_ms", pa.int64())]
)
FATE_NAMES = [str(fate) for fate in FATES if fate]
COUNTS = pa.schema(
    [
        ("station_id", pa.string()),
        ("topic", pa.string()),
        ("cadence", pa.string()),
        ("due", pa.int64()),
        *((name, pa.int64()) for name in FATE_NAMES),
    ]
)
NEVER_SENT = (FATES.index(Fate.LOST), FATES.index(Fate.OUTAGE_LOST))


SCHEMAS = {
    "runs": RUNS,
    "exceptions": EXCEPTIONS,
    "counts": COUNTS,
    "outages": OUTAGES,
    "clocks": CLOCKS,
}
DELTAS = {"runs": ("first_due_ms", "count"), "exceptions": ("due_ms", "delay_ms")}


def ledger_files(folder: Path) -> dict[str, Table]:
    """The files of a ledger, to be written and closed."""
    return {
        name: Table(folder / f"{name}.parquet", schema, delta=DELTAS.get(name, ()))
        for name, schema in SCHEMAS.items()
    }


def ledger_rows() -> dict[str, Rows]:
    """The tables of a ledger, in memory."""
    return {name: Rows(schema) for name, schema in SCHEMAS.items()}


class LedgerWriter:
    """Enters what is told into tables; `finish` completes them, closing files is the owner's."""

    def __init__(self, tables: Mapping[str, Rows]) -> None:
        self._tables = tables
        self._ledger = RunLedger()

    def add(self, told: Told) -> None:
        """Enter what one topic says within a chunk."""
        self._ledger.add(told)
        if len(self._ledger.exceptions) > 1000:
            self._write()

    def finish(self, telling: Telling) -> None:
        """Enter what is still open, the sums, and why it happened."""
        self._ledger.finish()
        self._write()
        self._write_counts()
        for voice in telling.voices:
            station_id = voice.site.station_id
            for begin_ms, end_ms in span(telling.outages_of(voice, telling.now_ms)):
                if begin_ms < telling.now_ms:
                    self._tables["outages"].add(
                        station_id=station_id, begin_ms=begin_ms, end_ms=end_ms
                    )
            for host, skew_ms in zip(voice.site.hosts, voice.skews_ms.tolist(), strict=True):
                self._tables["clocks"].add(
                    station_id=station_id, host_code=host.code, skew_ms=skew_ms
                )

    def _write(self) -> None:
        ledger = self._ledger
        if ledger.runs:
            columns = zip(*ledger.runs, strict=True)
            self._tables["runs"].add(**dict(zip(RUNS.names, map(list, columns), strict=True)))
            ledger.runs.clear()
        for station_id, topic, names, which, due_ms, codes, delays_ms in ledger.exceptions:
            never = np.isin(codes, NEVER_SENT)
            self._tables["exceptions"].add(
                station_id=station_id,
                topic=topic,
                entity=pa.array(names).take(pa.array(which)),
                due_ms=due_ms,
                fate=pa.array([str(each) for each in FATES]).take(pa.array(codes)),
                delay_ms=pa.array(delays_ms.astype(np.int32), mask=never),
            )
        ledger.exceptions.clear()

    def _write_counts(self) -> None:
        for (station_id, topic), count in sorted(self._ledger.counts.items(), key=str):
            self._tables["counts"].add(
                station_id=station_id,
                topic=topic,
                cadence=str(CADENCES[topic]),
                due=count["due"],
                **{name: count[name] for name in FATE_NAMES},
            )


class LedgerFolder:
    """A ledger that was written, for questions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def records(
        self,
        station_id: str | None,
        topic: str,
        begin_ms: int = 0,
        end_ms: int = 1 << 62,
        fates: Sequence[str] | None = None,
    ) -> pa.Table:
        """Every record of a station and topic due in [begin, end): entity, due, sent, fate.

        `station_id` None asks for the network's. `sent_ms` is null where nothing was sent; of a
        duplicate it is the second copy's. `fates` chooses ("" is an untouched record).
        """
        runs = self._rows("runs", station_id, topic).to_pylist()
        entities: list[str] = []
        dues = [np.empty(0, dtype=np.int64)]
        for run in runs:
            step = max(run["period_ms"], 1)
            due_ms = run["first_due_ms"] + step * np.arange(run["count"], dtype=np.int64)
            due_ms = due_ms[(due_ms >= begin_ms) & (due_ms < end_ms)]
            entities += [run["entity"]] * len(due_ms)
            dues.append(due_ms)
        regular = pa.table(
            {"entity": pa.array(entities, pa.string()), "due_ms": np.concatenate(dues)}
        )
        odd = self._rows("exceptions", station_id, topic).select(
            ["entity", "due_ms", "fate", "delay_ms"]
        )
        joined = regular.join(odd, ["entity", "due_ms"], join_type="left outer")
        return _asked(joined, fates)

    def _rows(self, name: str, station_id: str | None, topic: str) -> pa.Table:
        table = pq.read_table(self.folder / f"{name}.parquet", filters=pc.field("topic") == topic)
        column = table["station_id"]
        if station_id is None:
            return table.filter(pc.is_null(column))
        return table.filter(pc.equal(column, station_id))


def _asked(joined: pa.Table, fates: Sequence[str] | None) -> pa.Table:
    fate = pc.fill_null(joined["fate"], "")
    never = pc.is_in(fate, pa.array([str(Fate.LOST), str(Fate.OUTAGE_LOST)]))
    delay = pc.if_else(never, None, pc.fill_null(joined["delay_ms"], 0))
    sent = pc.add(joined["due_ms"], pc.cast(delay, pa.int64()))
    found = pa.table(
        {"entity": joined["entity"], "due_ms": joined["due_ms"], "sent_ms": sent, "fate": fate}
    )
    if fates is not None:
        found = found.filter(pc.is_in(found["fate"], pa.array(list(fates), pa.string())))
    return found.sort_by([("due_ms", "ascending"), ("entity", "ascending")])
