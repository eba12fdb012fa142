"""Tables written bit by bit: rows gather and go to a Parquet file in groups.

What stands in them is the callers' business.
"""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

GROUP_ROWS = 500_000


class Rows:
    """Rows in memory, in the order in which they were added.

    Single rows gather in lists first: a table of its own for each would cost most of the time.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self._parts: list[pa.Table] = []
        self._singles: list[list[Any]] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, **columns: Any) -> None:
        """Add rows; a column may be a value that all of them have."""
        lengths = [len(each) for each in columns.values() if _is_column(each)]
        if not lengths:
            self._singles.append([columns[name] for name in self.schema.names])
            self._count += 1
            return
        count = max(lengths)
        arrays = [_array(columns[field.name], field.type, count) for field in self.schema]
        self.append(pa.Table.from_arrays(arrays, schema=self.schema))

    def append(self, rows: pa.Table) -> None:
        """Add the rows of a table of this schema."""
        self._gather()
        self._parts.append(rows)
        self._count += len(rows)

    def take(self) -> pa.Table:
        """All rows; none are left."""
        self._gather()
        parts, self._parts, self._count = self._parts, [], 0
        return pa.concat_tables(parts).combine_chunks() if parts else self.schema.empty_table()

    def _gather(self) -> None:
        """Let single rows be a table, behind the others."""
        if not self._singles:
            return
        columns = zip(*self._singles, strict=True)
        arrays = [
            pa.array(values, type=field.type)
            for values, field in zip(columns, self.schema, strict=True)
        ]
        self._parts.append(pa.Table.from_arrays(arrays, schema=self.schema))
        self._singles = []


class Table(Rows):
    """Rows that go to a file. Columns of `delta` are kept as differences of neighbours."""

    def __init__(self, path: Path, schema: pa.Schema, *, delta: tuple[str, ...] = ()) -> None:
        super().__init__(schema)
        path.parent.mkdir(parents=True, exist_ok=True)
        dictionary = [each.name for each in schema if _is_text(each.type)]
        self._writer = pq.ParquetWriter(
            path,
            schema,
            compression="zstd",
            use_dictionary=dictionary,
            column_encoding=dict.fromkeys(delta, "DELTA_BINARY_PACKED") or None,
        )

    def append(self, rows: pa.Table) -> None:
        """Add the rows of a table of this schema; enough of them are written."""
        super().append(rows)
        if len(self) >= GROUP_ROWS:
            self.end_group()

    def end_group(self) -> None:
        """Write the rows at hand as a group of their own."""
        if len(self):
            self._writer.write_table(self.take(), row_group_size=1 << 30)

    def close(self) -> None:
        """Write what is left, and end the file."""
        self.end_group()
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _is_column(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str | bytes)


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_boolean(kind) or pa.types.is_dictionary(kind)
    )


def _array(value: Any, kind: pa.DataType, count: int) -> pa.Array:
    if _is_column(value):
        return pa.array(value, type=kind)
    if value is None:
        return pa.nulls(count, kind)
    return pa.repeat(pa.scalar(value, type=kind), count)
