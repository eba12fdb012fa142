"""A desk for the checker's own tests: a hand-written ledger and an honest service of a few lines.

No Kafka, no clock: records are sent, handed over, finished and committed by calls.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from station_scenarios.checker.checker import Checker
from station_scenarios.checker.commits import CommitSeen
from station_scenarios.checker.plan import Plan
from station_scenarios.checker.uploads import Upload

REAL = "REAL-STATION-DATA"
PARAM = "SCHEDULE-STATION-PARAM"
CALENDAR = "SCHEDULE-ENVIRONMENT-CALENDAR"
OUTPUT = "MODULE-OUTPUT-LOAD_PREDICTION"
WINDOW = 5
DETAIL: dict[str, dict[str, Any]] = {
    PARAM: {"fields": ["stationId", "gunNum"], "modules": ["load_prediction"], "window_size": 1},
    REAL: {
        "fields": ["stationId", "timestamp", "totalPower"],
        "modules": ["load_prediction"],
        "window_size": WINDOW,
    },
    CALENDAR: {"fields": ["date"], "modules": ["load_prediction"], "window_size": 1},
}


@dataclass
class Record:
    """A sent record."""

    topic: str
    wire: bytes
    timestamp_ms: int
    partition: int | None = 0
    offset: int | None = None


class HonestStation:
    """Windows of one station, sorted again and again; too simple to be wrong."""

    def __init__(self) -> None:
        self.points: dict[str, list[tuple[int, Any]]] = {topic: [] for topic in DETAIL}

    def take(self, topic: str, stamp_ms: int, payload: dict[str, Any]) -> None:
        """Store one point."""
        points = self.points[topic]
        if (stamp_ms, payload) not in points:
            points.append((stamp_ms, payload))
            points.sort(key=lambda point: point[0])
            del points[: -int(DETAIL[topic]["window_size"])]

    def module_input(self, *, arrays: bool = False) -> dict[str, Any]:
        """The module input as semantics 7 to 9 say."""
        given: dict[str, Any] = {}
        for topic, detail in DETAIL.items():
            rows = [payload for _, payload in self.points[topic]]
            for field in detail["fields"]:
                column = [row.get(field) for row in rows]
                given[field] = column[-1] if column else None
                if detail["window_size"] > 1 and arrays:
                    given[f"{field}_window"] = np.array(column)
                elif detail["window_size"] > 1:
                    given[f"{field}_window"] = [None] * (WINDOW - len(column)) + column
        available = [topic for topic in DETAIL if self.points[topic]]
        given["_data_quality"] = {
            "available_topics": available,
            "missing_topics": [topic for topic in DETAIL if not self.points[topic]],
            "total_topics": len(DETAIL),
            "availability_ratio": len(available) / len(DETAIL),
        }
        return given


class Desk:
    """One checker, one ledger, one service; faults are what a test leaves out or adds."""

    def __init__(self, *, arrays: bool = False) -> None:
        self.checker = Checker(Plan.of(DETAIL, "load_prediction"))
        self.arrays = arrays
        self.now_s = 1000.0
        self.commits: list[CommitSeen] = []
        self.uploads: list[Upload] = []
        self._ends: dict[str, int] = {}
        self._stations: dict[str, HonestStation] = {}
        self.checker.begins({})

    def real(self, station: str, power: float, *, at_s: float | None = None) -> Record:
        """Send a station's power."""
        stamp_ms = round((self.now_s if at_s is None else at_s) * 1000)
        body = {"stationId": station, "timestamp": str(stamp_ms), "totalPower": power}
        return self.send(REAL, body, stamp_ms)

    def param(self, *stations: str, guns: int = 4) -> Record:
        """Send the parameters of several stations in one record."""
        body = [{"stationId": station, "gunNum": guns} for station in stations]
        return self.send(PARAM, body, round(self.now_s * 1000))

    def calendar(self, date: str) -> Record:
        """Send a calendar to everyone."""
        return self.send(CALENDAR, {"calendar": [{"date": date}]}, round(self.now_s * 1000))

    def send(self, topic: str, body: Any, stamp_ms: int) -> Record:
        """Send a record; it is acknowledged at once."""
        offset = self._ends.get(topic, 0)
        self._ends[topic] = offset + 1
        record = Record(topic, json.dumps(body).encode(), stamp_ms, 0, offset)
        self.checker.sent(record)
        self.now_s += 1
        return record

    def take(self, station: str, record: Record) -> dict[str, Any]:
        """Let the service store a record for a station; answers the input as of it."""
        body = json.loads(record.wire)
        if record.topic == CALENDAR:
            payload = {"date": [day["date"] for day in body["calendar"]]}
        elif record.topic == PARAM:
            payload = next(item for item in body if item["stationId"] == station)
        else:
            payload = body
        windows = self._stations.setdefault(station, HonestStation())
        windows.take(record.topic, record.timestamp_ms, payload)
        return windows.module_input(arrays=self.arrays)

    def call(self, station: str, given: dict[str, Any], *, upload: bool = True) -> int:
        """Call back, return, and upload the result."""
        call, _ = self.checker.called(station, given, self.now_s)
        self.checker.returned(call, self.now_s)
        if upload:
            self.upload(station, call)
        return call

    def hand(self, station: str, record: Record) -> int:
        """All that an honest service does with a record for one station."""
        return self.call(station, self.take(station, record))

    def upload(self, station: str, call: int, **changes: Any) -> None:
        """Store a callback's result in the output topic."""
        value = {
            "station_id": station,
            "module": "load_prediction",
            "output": {"call": call},
            "timestamp": self.now_s,
        } | changes
        offset = len(self.uploads)
        stored = Upload(0, offset, station.encode(), json.dumps(value).encode(), self.now_s)
        self.uploads.append(stored)

    def commit(self, topic: str, offset: int) -> None:
        """The service commits."""
        self.commits.append(CommitSeen(self.now_s, topic, 0, offset))
        self.checker.committed(topic, 0, offset)

    def restart(self, committed: dict[tuple[str, int], int], *, crashed: bool = False) -> None:
        """The service ends and comes back with empty windows."""
        self.checker.ends(crashed=crashed)
        self._stations.clear()
        self.checker.begins(committed)

    def verdict(self) -> list[str]:
        """End everything; the ids of the invariants that were violated, in order."""
        self.checker.ends()
        judge = self.checker.uploads_judge(OUTPUT)
        for upload in self.uploads:
            judge.read(upload)
        self.checker.judge(judge, self.commits, self.now_s)
        return [violation.invariant for violation in self.checker.violations.listed]
