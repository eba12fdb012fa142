"""Windows against a naive model: a sorted list of points, cut to its size."""

from collections import Counter
from datetime import UTC, datetime
from math import nan
from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from data_analysis import columns
from data_analysis.flat_windows import FlatWindow
from data_analysis.stores import Outcome
from data_analysis.windows import Window

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-3, 3),
    st.floats(allow_nan=False),
    st.text(max_size=3),
    st.lists(st.integers(0, 2), max_size=2),
)
NUMBERS = st.one_of(st.floats(-2, 2, allow_nan=False), st.integers(-2, 2), st.none())
TIMES = st.one_of(st.none(), st.integers(0, 6))
# Many are duplicates, and some are equal but for their types.
ALIKE = st.sampled_from([(0, 0.0), (0.0, 0.0), (0, None), (1.0, [0]), (True, [0]), (1.0, "a")])
ROWS = st.one_of(ALIKE, st.tuples(NUMBERS, VALUES))
PUSHES = st.tuples(TIMES, st.lists(ROWS, min_size=1, max_size=9))
POINTS = st.tuples(st.one_of(st.none(), st.integers(0, 12)), NUMBERS, VALUES)


class Model:
    """The obvious window."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.points: list[tuple[float, list[Any]]] = []

    def add(self, values: list[Any], time: float | None) -> Outcome:
        if time is None:
            time = self.points[-1][0] if self.points else float("-inf")
        elif any(at == time and _same(row, values) for at, row in self.points):
            return Outcome.DUPLICATE
        full = len(self.points) == self.size
        if full and time < self.points[0][0]:
            return Outcome.TOO_LATE
        late = bool(self.points) and time < self.points[-1][0]
        place = len([None for at, _ in self.points if at <= time])
        self.points.insert(place, (time, values))
        self.points = self.points[-self.size :]
        return Outcome.INSERTED if late else Outcome.APPENDED


def _same(one: list[Any], other: list[Any]) -> bool:
    return [(type(value), value) for value in one] == [(type(value), value) for value in other]


def _shown(rows: list[Any]) -> list[list[tuple[type, Any]]]:
    return [[(type(value), value) for value in row] for row in rows]


@given(st.integers(1, 6), st.lists(POINTS, max_size=60))
def test_a_window_holds_what_a_sorted_list_would(size: int, points: list[Any]) -> None:
    for window in (Window(2, size), FlatWindow(2, size), FlatWindow(2, size, 1)):
        _compare(window, Model(size), points)


def _compare(window: Window | FlatWindow, model: Model, points: list[Any]) -> None:
    for time, *values in points:
        assert model.add(values, time) is window.add(values, time, 0.0)
        rows = [row for _, row in model.points]
        assert _shown(rows) == _shown(window.view().rows())
        if rows:
            assert _shown([rows[-1]]) == _shown([window.view().newest])
        assert [at for at, _ in model.points] == window.times()


@given(st.integers(1, 6), st.lists(PUSHES, max_size=12), st.sampled_from([1, 1024]))
def test_many_points_of_one_time_are_as_one_after_the_other(
    size: int, pushes: list[Any], long: int
) -> None:
    with patch.object(columns, "LONG", long):
        for window in (Window(2, size), FlatWindow(2, size), FlatWindow(2, size, 1)):
            model = Model(size)
            views: list[Any] = []
            for now, (time, rows) in enumerate(pushes):
                before = window.arrived_at
                expected = Counter(model.add(list(row), time) for row in rows)
                assert expected == window.add_all(rows, time, now)
                stored = expected[Outcome.APPENDED] + expected[Outcome.INSERTED]
                assert (now if stored else before) == window.arrived_at
                held = [row for _, row in model.points]
                assert _shown(held) == _shown(window.view().rows())
                assert _shown(held[-1:]) == _shown([window.view().newest])
                assert [at for at, _ in model.points] == window.times()
                views.append((window.view(), _shown(held)))
            for view, held in views:
                assert held == _shown(view.rows())


@given(st.integers(1, 6), st.lists(POINTS, max_size=60))
def test_a_view_never_changes_behind_its_reader(size: int, points: list[Any]) -> None:
    for window in (Window(2, size), FlatWindow(2, size), FlatWindow(2, size, 1)):
        _look_back(window, points)


def _look_back(window: Window | FlatWindow, points: list[Any]) -> None:
    kept = []
    for time, *values in points:
        window.add(values, time, 0.0)
        view = window.view()
        arrays = [view.array(0), view.array(1)]
        kept.append((view, _shown(view.rows()), arrays, [array.copy() for array in arrays]))
    for view, rows, arrays, copies in kept:
        assert rows == _shown(view.rows())
        for copy, array in zip(copies, arrays, strict=True):
            assert not array.flags.writeable
            np.testing.assert_array_equal(copy, array)


@given(st.integers(1, 6), st.integers(1, 6), st.lists(POINTS, max_size=20))
def test_another_size_keeps_the_newest(size: int, other: int, points: list[Any]) -> None:
    window = Window(2, size)
    for time, *values in points:
        window.add(values, time, 7.0)
    resized = window.resized(other)
    assert _shown(window.view().rows()[-other:]) == _shown(resized.view().rows())
    assert window.arrived_at == resized.arrived_at


def test_columns_of_numbers_are_arrays_of_numbers() -> None:
    window = Window(3, 10)
    window.add([1.5, 2, 1.0], 1.0, 0.0)
    window.add([2.5, 3, None], 2.0, 0.0)
    window.add([3.5, 4, 7], 3.0, 0.0)
    view = window.view()
    assert ("float64", [1.5, 2.5, 3.5]) == (view.array(0).dtype.name, view.array(0).tolist())
    assert ("int64", [2, 3, 4]) == (view.array(1).dtype.name, view.array(1).tolist())
    np.testing.assert_array_equal([1.0, np.nan, 7.0], view.array(2))
    assert [float, type(None), int] == [type(value) for value in view.values(2)]


def local_time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


STAMPS = st.one_of(
    st.integers(0, 2**33).map(local_time),
    st.sampled_from(
        ["2026-01-31 12:00:00", "2026-01-31T12:00:00", "2026-02-31 12:00:00", "x" * 19]
    ),
    st.none(),
)


@given(
    st.integers(1, 6), st.lists(st.tuples(st.integers(0, 9), STAMPS, st.booleans()), max_size=40)
)
def test_local_times_are_texts_for_who_reads_them(
    size: int, points: list[tuple[int, Any, bool]]
) -> None:
    window, model = Window(1, size), Model(size)
    seen = []
    for time, text, read in points:
        assert model.add([text], float(time)) is window.add([text], float(time), 0.0)
        held = [row[0] for _, row in model.points]
        view = window.view()
        assert held == view.values(0)
        if read:
            # None is NaN while there is no text in the column.
            seen.append(
                (view, [each if each or view.array(0).dtype == object else nan for each in held])
            )
        for before, texts in seen:
            np.testing.assert_array_equal(texts, before.array(0))


def test_a_local_time_takes_four_bytes_and_no_text() -> None:
    window = Window(1, 1000)
    for second in range(3000):
        window.add([local_time(1_800_000_000 + second)], float(second), 0.0)
    assert ["uint32"] == [column.data.dtype.name for column in window._columns]


@given(st.integers(1, 6), st.lists(POINTS, max_size=60), st.integers(1, 30))
def test_points_taken_at_once_are_as_one_after_the_other(
    size: int, points: list[Any], at_once: int
) -> None:
    points = sorted((time or 0, at, row) for at, (time, *row) in enumerate(points))
    one, other = Window(2, size), Window(2, size)
    for time, at, row in points:
        # Equal ones are no duplicates here.
        one.take([row], [float(time)], float(at))
    for first in range(0, len(points), at_once):
        part = points[first : first + at_once]
        other.take(
            [row for *_, row in part], [float(time) for time, *_ in part], float(part[-1][1])
        )
    assert _shown(one.view().rows()) == _shown(other.view().rows())
    assert _shown([one.view().newest]) == _shown([other.view().newest])
    assert (one.times(), one.arrived_at) == (other.times(), other.arrived_at)


def test_a_long_window_grows_and_slides() -> None:
    window = Window(1, 1000)
    for index in range(5000):
        window.add([float(index)], float(index), 0.0)
    assert [float(index) for index in range(4000, 5000)] == window.view().values(0)


def test_new_columns_are_empty_for_old_points() -> None:
    window = Window(2, 3)
    window.add([1.0, "a"], 1.0, 0.0)
    assert [("a", None, 1.0)] == window.changed(3, lambda row: (row[1], None, row[0])).view().rows()


@given(st.integers(3, 6), st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=80))
def test_long_windows_read_as_lists_are_what_they_hold(
    size: int, points: list[tuple[int, bool]]
) -> None:
    window, model = Window(1, size), Model(size)
    with patch.object(columns, "LONG", 1):
        for number, (time, read) in enumerate(points):
            model.add([float(number)], float(time))
            window.add([float(number)], float(time), 0.0)
            if read:
                assert [row[0] for _, row in model.points] == window.view().values(0)


def test_a_list_that_comes_late_to_a_column_of_texts_is_copied() -> None:
    window = Window(1, 3)
    window.add(["a"], 1.0, 0.0)
    window.add([[1]], 2.0, 0.0)
    window.view().values(0)[1].append(2)
    assert ["a", [1]] == window.view().values(0)


@given(st.integers(2, 6), st.lists(POINTS, max_size=20))
def test_rows_become_columns_and_rows_again(size: int, points: list[Any]) -> None:
    window = FlatWindow(2, size)
    for time, *values in points:
        window.add(values, time, 7.0)
    columns_of_it = window.in_columns()
    for other in (columns_of_it, FlatWindow.of(columns_of_it)):
        assert _shown(window.view().rows()) == _shown(other.view().rows())
        assert (window.times(), len(window)) == (other.times(), len(other))


@given(st.integers(1, 6), st.lists(st.lists(VALUES, min_size=2, max_size=2), min_size=1))
def test_columns_of_rows_are_new_and_equal(size: int, rows: list[list[Any]]) -> None:
    window = FlatWindow(2, size)
    for row in rows:
        window.add(row, None, 0.0)
    view = window.view()
    *newest, first, second = view.shown()
    assert _shown([rows[-1]]) == _shown([newest])
    assert _shown([first, second]) == _shown([view.values(0), view.values(1)])
    for values in (newest, first, second):
        for value in (values, *values):
            if type(value) is list:
                value.append("edited")
    assert _shown(zip(*rows[-size:], strict=True)) == _shown(view.shown()[2:])


def test_equal_times_of_small_windows_are_one_text() -> None:
    windows = [FlatWindow(2, 3, 1), FlatWindow(2, 3, 1)]
    for window in windows:
        window.add([1.0, "".join(["2026-01-31", " 12:00:00"])], 1.0, 0.0)
    one, other = (window.view().values(1)[0] for window in windows)
    assert "2026-01-31 12:00:00" == one
    assert one is other
