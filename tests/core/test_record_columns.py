"""Columns of records: what clients give goes in, and comes out in its order."""

from itertools import pairwise
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from data_analysis.record_columns import RecordColumns, runs_of


class Made(NamedTuple):
    """A client's record."""

    topic: str
    partition: int
    offset: int
    timestamp: int | None
    key: bytes | None
    value: bytes | None


SOME_BYTES = st.none() | st.binary(max_size=3)
RECORDS = st.lists(
    st.builds(
        Made,
        st.sampled_from(["A", "B"]),
        st.integers(0, 1),
        st.integers(0, 9),
        st.none() | st.integers(-1, 5),
        SOME_BYTES,
        SOME_BYTES,
    ),
    max_size=12,
)


def told(records: list[Made]) -> list[tuple[int, int | None, bytes | None, bytes | None]]:
    """What columns are to say of records."""
    return [
        (each.offset, None if each.timestamp == -1 else each.timestamp, each.key, each.value)
        for each in records
    ]


@given(RECORDS)
def test_all_that_clients_say_is_kept(records: list[Made]) -> None:
    columns = RecordColumns.of(records)
    assert (told(records), len(records)) == ([*columns], len(columns))
    times = [time_ms for _, time_ms, _, _ in columns if time_ms is not None]
    assert (max(times) if times else None) == columns.newest_ms


@given(RECORDS, RECORDS, st.integers(0, 12))
def test_they_are_cut_and_put_together_as_lists_are(
    records: list[Made], others: list[Made], count: int
) -> None:
    columns = RecordColumns.of(records)
    first = columns[:count]
    del columns[:count]
    columns.extend(RecordColumns.of(others))
    assert told(records[:count]) == [*first]
    assert told(records[count:] + others) == [*columns]


@given(RECORDS)
def test_runs_are_of_one_partition_and_keep_the_order(records: list[Made]) -> None:
    runs = runs_of(records)
    assert told(records) == [each for _, columns in runs for each in columns]
    assert [tp for tp, columns in runs for _ in columns] == [
        (each.topic, each.partition) for each in records
    ]
    assert all(one[0] != other[0] for one, other in pairwise(runs))
