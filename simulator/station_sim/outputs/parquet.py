"""Records as Parquet: a file for each topic, so that one topic less changes no other file.

Columns: due_ms, sent_ms (story ms), timestamp_ms (epoch ms), topic, key (null where
a record is no one station's), value (bytes), fate. Row groups hold a fixed number of rows, whatever
the chunks in which records come.
"""

from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from station_sim.streams.record import Record

TEXT = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        ("due_ms", pa.int64()),
        ("sent_ms", pa.int64()),
        ("topic", TEXT),
        ("key", TEXT),
        ("value", pa.binary()),
        ("timestamp_ms", pa.int64()),
        ("fate", TEXT),
    ]
)
GROUP_BYTES = 32 * 1024 * 1024
GROUP_ROWS = 50_000


class ParquetFolder:
    """Writes `folder/TOPIC.parquet`; the folder is made. `close` makes the files whole."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.bytes_written = 0
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._rows: defaultdict[str, list[Record]] = defaultdict(list)
        self._sizes: defaultdict[str, int] = defaultdict(int)

    def write(self, records: list[Record]) -> None:
        """Take some records; whole groups of rows are written."""
        for record in records:
            rows = self._rows[record.topic]
            rows.append(record)
            self._sizes[record.topic] += len(record.value)
            if len(rows) == GROUP_ROWS or self._sizes[record.topic] >= GROUP_BYTES:
                self._write_group(record.topic)

    def close(self) -> None:
        """Write what is left, and end the files."""
        for topic in sorted(self._rows):
            if self._rows[topic]:
                self._write_group(topic)
        for writer in self._writers.values():
            writer.close()
        self.bytes_written = sum(each.stat().st_size for each in self.folder.glob("*.parquet"))

    def _write_group(self, topic: str) -> None:
        rows, self._rows[topic], self._sizes[topic] = self._rows[topic], [], 0
        if topic not in self._writers:
            path = self.folder / f"{topic}.parquet"
            self._writers[topic] = pq.ParquetWriter(path, SCHEMA, compression="zstd")
        columns = list(zip(*rows, strict=True))
        names = Record._fields
        arrays = [pa.array(columns[names.index(field.name)], type=field.type) for field in SCHEMA]
        self._writers[topic].write_table(pa.Table.from_arrays(arrays, schema=SCHEMA))
