"""Results and commit notes as text: what may be in them, and what comes back."""

from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest

from data_analysis.gaps import read_commit_note, write_commit_note
from data_analysis.results import write_result


class Frame:
    """What a pandas frame offers."""

    def to_dict(self, orient: str) -> dict[str, list[int]]:
        assert "list" == orient
        return {"a": [1, 2]}


@pytest.mark.parametrize(
    ("output", "written"),
    [
        ({"a": 1}, {"a": 1}),
        (float("nan"), None),
        ([float("inf"), 1.5], [None, 1.5]),
        (np.array([[1.5, np.nan]]), [[1.5, None]]),
        (np.arange(6.0)[::2], [0.0, 2.0, 4.0]),
        (np.array([1, "x", None], object), [1, "x", None]),
        ({"n": np.float64(2.5), "i": np.int64(3)}, {"n": 2.5, "i": 3}),
        ({1: 2}, {"1": 2}),
        (Frame(), {"a": [1, 2]}),
        ({np.int64(1): [{np.str_("k"): np.float64(2.5)}]}, {"1": [{"k": 2.5}]}),
        (pd.Timestamp("2025-01-01 08:00"), "2025-01-01T08:00:00"),
        ([pd.NaT, pd.NA], [None, None]),
        (pd.Series([1, None], dtype="Int64"), [1, None]),
        (
            pd.DataFrame({"t": [pd.Timestamp("2025-01-01"), pd.NaT], "x": [1.5, np.nan]}),
            {"t": ["2025-01-01T00:00:00", None], "x": [1.5, None]},
        ),
        ({pd.Timestamp("2025-01-01"): 1}, {"2025-01-01T00:00:00": 1}),
        ("储能", "储能"),
    ],
)
def test_outputs_are_plain_json(output: Any, written: Any) -> None:
    value = orjson.loads(write_result("A", "m", output, 7))
    assert {"station_id": "A", "module": "m", "output": written, "timestamp": 7.0} == value


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    "output", [object(), {"x": 2**70}, "\ud800", CIRCLE, {object(): 1}, {(1, 2): 1}]
)
def test_what_cannot_be_written_raises_type_error(output: Any) -> None:
    with pytest.raises(TypeError):
        write_result("A", "m", output, 7)


@pytest.mark.parametrize("last_ms", [None, 0, 1772294400000, -5])
def test_a_commit_note_comes_back(last_ms: int | None) -> None:
    assert last_ms == read_commit_note(write_commit_note(last_ms))


@pytest.mark.parametrize(
    "text", [None, "", "hello", "v2 last_record_ms=5", "v1 last_record_ms=x", "v1 x=5"]
)
def test_other_text_in_a_commit_is_no_note(text: str | None) -> None:
    assert read_commit_note(text) is None
