"""A saved run: the folder that a simulation left, read table by table.

Instants are story seconds (since the run's start), powers kW, energies kWh, states of charge
percent, prices CNY/kWh. What the columns mean is the reference's; which of them must be there is
`columns`'. Judging them is `targets`' and `invariants`'.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import pandas as pd

from station_sim.errors import LabError
from station_sim.validation.columns import COLUMNS

SECONDS_PER_DAY = 86_400.0


class SavedRun:
    """The tables of one folder, each read once and kept.

    `facts` is what `run.json` says of it: profile, seed, start, days and more. Raises `LabError`
    when the folder is not a run, or a table misses a column.
    """

    def __init__(self, folder: Path, facts: Mapping[str, Any] | None = None) -> None:
        self.folder = folder
        self.facts = _facts(folder) if facts is None else facts
        self._tables: dict[str, pd.DataFrame] = {}
        self._records: dict[str, pd.DataFrame] = {}

    @classmethod
    def of(cls, facts: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Self:
        """A run of tables at hand, without a folder."""
        run = cls(Path("(in memory)"), facts)
        run._tables = {name: _checked(name, frame, name) for name, frame in tables.items()}
        return run

    @property
    def days(self) -> float:
        """Story days that the run lasted."""
        return float(self.facts["days"])

    @property
    def end_s(self) -> float:
        """Where the run ended."""
        return self.days * SECONDS_PER_DAY

    @cached_property
    def start(self) -> datetime:
        """When the story began, with its zone."""
        return datetime.fromisoformat(self.facts["start"])

    def local(self, at_s: float) -> str:
        """The local time of an instant, to the second."""
        return (self.start + timedelta(seconds=float(at_s))).isoformat(" ")[:19]

    def hours_of_day(self, times_s: "pd.Series[float]") -> "pd.Series[int]":
        """The local hour, 0 to 23, of instants."""
        midnight = self.start.replace(hour=0, minute=0, second=0, microsecond=0)
        since_midnight_s = times_s + (self.start - midnight).total_seconds()
        return (since_midnight_s // 3600 % 24).astype(int)

    def has(self, name: str) -> bool:
        """Whether the run holds a table."""
        return name in self._tables or self._path(name).exists()

    def table(self, name: str) -> pd.DataFrame:
        """A table, e.g. "sessions" or "ledger/counts"; read only: everybody gets the same one."""
        if name not in self._tables:
            self._tables[name] = self._read(name)
        return self._tables[name]

    def has_records(self, topic: str) -> bool:
        """Whether records of a topic were kept."""
        return self.has(f"records/{topic}")

    def records(self, topic: str) -> pd.DataFrame:
        """Records of a topic that nothing happened to, with `value` decoded, by due time.

        Empty where none were kept. What the imperfection layer touched is the ledger's to tell.
        """
        if not self.has_records(topic):
            return pd.DataFrame({"due_ms": [], "timestamp_ms": [], "key": [], "value": []})
        if topic not in self._records:
            frame = self.table(f"records/{topic}")
            untouched = frame[frame["fate"].fillna("").isin(("", "sent"))].sort_values("due_ms")
            decoded = untouched.assign(value=untouched["value"].map(json.loads))
            self._records[topic] = decoded
        return self._records[topic]

    def _read(self, name: str) -> pd.DataFrame:
        path = self._path(name)
        try:
            frame = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise LabError(f"cannot read table {name} of {self.folder}: {error}") from error
        # Text stands in files as categories, which refuse to meet those of another table.
        texts = dict.fromkeys(frame.select_dtypes("category").columns, "str")
        return _checked(name, frame.astype(texts), str(path))

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"


def _facts(folder: Path) -> dict[str, Any]:
    path = folder / "run.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LabError(f"{folder} is not a saved run: run.json: {error}") from error
    for key in ("profile", "seed", "start", "days"):
        if key not in found:
            raise LabError(f"{path} names no {key}; save the run again")
    return found


def _checked(name: str, frame: pd.DataFrame, where: str) -> pd.DataFrame:
    wanted = COLUMNS["records" if name.startswith("records/") else name]
    missing = [column for column in wanted if column not in frame.columns]
    if missing:
        raise LabError(f"table {where} misses {', '.join(missing)}; save the run again")
    return frame
