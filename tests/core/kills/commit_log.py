"""Every commit of a group, read from the topic in which Apache Kafka keeps them.

The simulated Kafka has no such topic; its commits are seen by observers (`witness.py`).
"""

import struct
from collections.abc import Iterable
from typing import Any

from tests.core.kills.verdict import Commit

COMMITS_TOPIC = "__consumer_offsets"

OFFSET_KEY_VERSIONS = (0, 1)
"""Keys of higher versions are of groups, not of offsets."""


def read_commits(records: Iterable[Any], group: str, topic: str) -> list[Commit]:
    """Return a group's commits of one topic, in the order in which they were stored."""
    commits = []
    for record in records:
        key = _Fields(record.key)
        if key.number(">h") not in OFFSET_KEY_VERSIONS or record.value is None:
            continue
        if (key.text(), key.text()) == (group, topic):
            commits.append(_commit(key.number(">i"), _Fields(record.value)))
    return commits


def _commit(partition: int, value: "_Fields") -> Commit:
    version = value.number(">h")
    offset = value.number(">q")
    if version >= 3:
        value.number(">i")  # the leader's epoch
    value.metadata(is_compact=version >= 4)
    return Commit(partition, offset, value.number(">q"))


class _Fields:
    """Numbers and texts, one after another."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, form: str) -> int:
        (value,) = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return int(value)

    def text(self) -> str:
        return self._read(self.number(">h"))

    def metadata(self, *, is_compact: bool) -> str:
        """A text; a compact one has its length and one as a number of 7 bits a byte."""
        if not is_compact:
            return self.text()
        length, shift = 0, 0
        while True:
            byte = self.number(">B")
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return self._read(length - 1)

    def _read(self, length: int) -> str:
        end = self._at + length
        text = self._data[self._at : end].decode()
        self._at = end
        return text
