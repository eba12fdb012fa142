"""Rows keep their order and kinds, whether they come singly or in columns."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from station_sim.outputs.tables import Rows, Table

SCHEMA = pa.schema([("name", pa.string()), ("number", pa.int32()), ("list", pa.list_(pa.string()))])
EXPECTED = [
    {"name": "a", "number": 1, "list": None},
    {"name": None, "number": 2, "list": None},
    {"name": "c", "number": 3, "list": ["x", "y"]},
    {"name": "c", "number": 4, "list": ["z"]},
    {"name": "d", "number": 5, "list": None},
]


def fill(rows: Rows) -> None:
    """Two single rows, two in columns, one single row."""
    rows.add(name="a", number=1, list=None)
    rows.add(name=None, number=2, list=None)
    rows.add(name="c", number=[3, 4], list=[["x", "y"], ["z"]])
    rows.add(name="d", number=5, list=None)


def test_single_rows_and_columns_keep_their_order() -> None:
    rows = Rows(SCHEMA)
    fill(rows)
    assert len(EXPECTED) == len(rows)
    assert EXPECTED == rows.take().to_pylist()


def test_nothing_is_left_behind_what_was_taken() -> None:
    rows = Rows(SCHEMA)
    fill(rows)
    rows.take()
    assert (0, []) == (len(rows), rows.take().to_pylist())
    rows.add(name="e", number=6, list=None)
    assert ["e"] == rows.take()["name"].to_pylist()


def test_a_file_has_all_rows(tmp_path: Path) -> None:
    with Table(tmp_path / "rows.parquet", SCHEMA) as table:
        fill(table)
    assert EXPECTED == pq.read_table(tmp_path / "rows.parquet").to_pylist()
