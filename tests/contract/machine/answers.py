"""Answers as they are compared: plain values, without what two brokers may rightly differ in.

Ids that a broker gives are named after whom they were given to (`Memory.call`), times of its own
clock are `<now>`, nodes and throttling are left out, lists of which the protocol promises no order
are sorted. Batches are taken apart, for the broker writes into their headers.
"""

import re
import struct
import time
import uuid
from typing import Any

from tests.contract.machine.memory import Memory

LEFT_OUT = frozenset(
    {
        "throttle_time_ms",
        "cluster_id",
        "controller_id",
        "brokers",
        "leader_id",
        "replica_nodes",
        "isr_nodes",
        "node_endpoints",
        "session_id",
        "client_host",
        "client_id",
    }
)
NODES_OWN = frozenset({"file.delete.delay.ms"})
"""Topic settings whose default the nodes under test were given differently."""

GIVEN_IDS = frozenset({"producer_id", "member_id", "leader", "topic_id"})
NEAR_NOW_MS = 86_400_000
NOW = "<now>"

_TIME = re.compile(r"\b\d{13}\b")
_ANY_TIME_BEFORE = re.compile(r"-92\d{17}\b")
"""The clock's time less the largest number."""
_MEMBER_ID = re.compile(r"\b[\w-]+-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
"""One that its member was not told yet."""

_BATCH = struct.Struct(">qiibIhiqqqhii")
_LENGTH_COUNTS_FROM = 12


def comparable(answer: Any, memory: Memory) -> Any:
    """An answer, or None, as plain values that are equal where brokers agree."""
    if answer is None:
        return None
    return _Reading(memory).value("", answer.to_dict(json=False))


def error_codes(answer: Any) -> list[int]:
    """Every error code in a comparable answer."""
    if isinstance(answer, dict):
        own = [code for name, code in answer.items() if name.endswith("error_code")]
        return own + [code for value in answer.values() for code in error_codes(value)]
    if isinstance(answer, list):
        return [code for value in answer for code in error_codes(value)]
    return []


def differences(left: Any, right: Any, path: str = "") -> list[str]:
    """Where two comparable answers differ, a line each: path, left, right."""
    if isinstance(left, dict) and isinstance(right, dict) and left.keys() == right.keys():
        return [
            line for name in left for line in differences(left[name], right[name], f"{path}.{name}")
        ]
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        return [
            line
            for index, (mine, yours) in enumerate(zip(left, right, strict=True))
            for line in differences(mine, yours, f"{path}[{index}]")
        ]
    return [] if left == right else [f"{path.lstrip('.')}: {left!r} or {right!r}"]


class _Reading:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._now_ms = time.time() * 1000

    def value(self, name: str, found: Any) -> Any:
        if name in GIVEN_IDS and found in self._memory.name_of:
            return self._memory.name_of[found]
        if name == "records":
            return self._batches(bytes(found or b""))
        if isinstance(found, dict):
            return {
                each: self.value(each, value)
                for each, value in found.items()
                if each not in LEFT_OUT
            }
        if name == "groups":
            found = [each for each in found if each["group_id"].startswith(self._memory.prefix)]
        if name == "configs":
            found = [each for each in found or () if each["name"] not in NODES_OWN]
        if isinstance(found, list | tuple):
            return sorted((self.value(name, value) for value in found), key=repr)
        if isinstance(found, str):
            return self._text(found)
        if isinstance(found, uuid.UUID):
            return str(found)
        return self._time(found) if "time" in name else found

    def _text(self, text: str) -> str:
        for real, called in self._memory.name_of.items():
            if isinstance(real, str) and real in text:
                text = text.replace(real, called)
        text = text.replace(f"{self._memory.prefix}-", "")
        text = _MEMBER_ID.sub("<a member>", text)
        text = _ANY_TIME_BEFORE.sub("<always>", text)
        return _TIME.sub(lambda found: str(self._time(int(found[0]))), text)

    def _time(self, found: Any) -> Any:
        return NOW if abs(found - self._now_ms) < NEAR_NOW_MS else found

    def _batches(self, fetched: bytes) -> list[Any]:
        """Whole batches: what the header says, and the records' bytes."""
        found, at = [], 0
        while at + _BATCH.size <= len(fetched):
            (base, length, epoch, magic, _crc, attributes, delta, *rest) = _BATCH.unpack_from(
                fetched, at
            )
            first_ms, newest_ms, producer_id, producer_epoch, sequence, count = rest
            end = at + _LENGTH_COUNTS_FROM + length
            if end > len(fetched):
                break
            found.append(
                {
                    "offsets": (base, base + delta),
                    "leader_epoch": epoch,
                    "magic": magic,
                    "attributes": attributes,
                    "times": (self._time(first_ms), self._time(newest_ms)),
                    "producer": (self.value("producer_id", producer_id), producer_epoch, sequence),
                    "count": count,
                    "records": fetched[at + _BATCH.size : end],
                }
            )
            at = end
        return found
