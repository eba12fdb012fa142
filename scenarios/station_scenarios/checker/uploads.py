"""Judges the output topic: every callback's result is there, well formed, under its station's key.

The story's callback returns `{"call": number}`, so that a result names its callback (semantics 31).
"""

import json
from array import array
from collections.abc import Iterator, Sequence
from math import isnan, nan
from typing import Any, NamedTuple

from station_scenarios.checker.violations import Violation
from station_scenarios.checker.work import NEVER, Calls, Life

KEYS = {"station_id", "module", "output", "timestamp"}


class Upload(NamedTuple):
    """A record of the output topic; `stored_at_s` is the broker's time, to the millisecond."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    stored_at_s: float


class UploadsJudge:
    """Reads uploads one by one and remembers when each callback's result was stored."""

    def __init__(self, calls: Calls, module: str, topic: str) -> None:
        self._calls = calls
        self._module = module
        self._topic = topic
        self.stored_at_s = array("d", [nan]) * len(calls)
        """When each callback's first result was stored; NaN: never."""
        self.count = 0
        self.violations: list[Violation] = []

    def read(self, upload: Upload) -> None:
        """Take one upload in."""
        self.count += 1
        wrong = self._wrong(upload)
        if wrong:
            self.violations.append(self._violation(upload, wrong))

    def _wrong(self, upload: Upload) -> str | None:
        value = _decoded(upload.value)
        call = value.get("output", {}).get("call") if self._is_well_formed(value) else None
        if type(call) is not int or not 0 <= call < len(self._calls):
            return f"no result of a callback: {_show(upload.value)}"
        station = self._calls.station[call]
        if isnan(self.stored_at_s[call]):
            self.stored_at_s[call] = upload.stored_at_s
        if value["station_id"] != station:
            return f"result of {station} under the name {value['station_id']}"
        if upload.key != station.encode():
            return f"result of {station} under the key {upload.key!r}"
        return None

    def missing(self, lives: Sequence[Life], at_s: float) -> Iterator[Violation]:
        """Results of lives that ended in order, or have not ended, and are not there."""
        for call, stored_at_s in enumerate(self.stored_at_s):
            life = lives[self._calls.life[call] - 1]
            if isnan(stored_at_s) and not life.crashed and self._calls.returned_at_s[call] != NEVER:
                station = self._calls.station[call]
                message = f"{station}: the result of callback {call} is not in {self._topic}"
                yield Violation("uploaded", message, at_s, station=station, topic=self._topic)

    def finished_at_s(self, lives: Sequence[Life]) -> "array[float]":
        """When each callback's work was done; a result missing in order counts as returned."""
        finished = array("d", self.stored_at_s)
        for call, stored_at_s in enumerate(self.stored_at_s):
            if isnan(stored_at_s):
                crashed = lives[self._calls.life[call] - 1].crashed
                finished[call] = NEVER if crashed else self._calls.returned_at_s[call]
        return finished

    def _is_well_formed(self, value: dict[str, Any]) -> bool:
        return (
            value.keys() == KEYS
            and value["module"] == self._module
            and isinstance(value["output"], dict)
            and isinstance(value["timestamp"], float)
        )

    def _violation(self, upload: Upload, message: str) -> Violation:
        return Violation(
            "uploaded",
            message,
            upload.stored_at_s,
            topic=self._topic,
            partition=upload.partition,
            offset=upload.offset,
        )


def _decoded(value: bytes | None) -> dict[str, Any]:
    try:
        decoded = json.loads(value or b"")
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _show(value: bytes | None) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
