"""Answers on their way out of a connection: whole in one write, or large ones chunk by chunk.

A large answer is mostly batches that lie in a log. Through a socket it goes in chunks, the next
when there is room for it, so that nothing large is allocated and a slow reader keeps no copy.
Where a write is a message with a delay of its own, as in virtual time, it goes whole. What an
answer says is made in `dispatch.py`.
"""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

WHOLE_BYTES_MAX = 256 * 1024
"""Larger answers go in chunks of about this size; it is what a socket takes at a time or less."""


class Frame(NamedTuple):
    """One framed answer in pieces, which together are so long."""

    pieces: Sequence[bytes]
    size_bytes: int

    def whole(self) -> bytes:
        """Its bytes."""
        return b"".join(self.pieces)

    def chunks(self) -> Iterator[bytes | memoryview]:
        """Its bytes bit by bit: small pieces joined, large ones cut without copying them."""
        ends = list(accumulate(map(len, self.pieces)))
        first = sent_bytes = 0
        while first < len(ends):
            behind = bisect_right(ends, sent_bytes + WHOLE_BYTES_MAX, first)
            if behind > first:
                yield b"".join(self.pieces[first:behind])
            else:
                yield from _cut(self.pieces[first])
                behind = first + 1
            first, sent_bytes = behind, ends[behind - 1]


def _cut(piece: bytes) -> Iterator[memoryview]:
    view = memoryview(piece)
    for at in range(0, len(piece), WHOLE_BYTES_MAX):
        yield view[at : at + WHOLE_BYTES_MAX]


class Outbox:
    """What a transport is given to write; `is_clear` tells whether it has taken everything."""

    __slots__ = ("_is_stream", "_paused", "_transport", "_unsent")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._is_stream = transport.get_extra_info("socket") is not None
        self._unsent: deque[Iterator[bytes | memoryview]] = deque()
        self._paused = False

    @property
    def is_clear(self) -> bool:
        """Whether the client reads its answers, and no part of one waits here."""
        return not self._paused and not self._unsent

    def send(self, frame: Frame) -> None:
        """Write an answer behind those before it."""
        if not self._unsent and (not self._is_stream or frame.size_bytes <= WHOLE_BYTES_MAX):
            self._transport.write(frame.whole())
            return
        self._unsent.append(frame.chunks())
        self._write_on()

    def pause(self) -> None:
        """The transport has no room."""
        self._paused = True

    def resume(self) -> None:
        """The transport has room again."""
        self._paused = False
        self._write_on()

    def flush(self) -> None:
        """Write what waits, room or not: the transport is about to be closed."""
        while self._unsent:
            for chunk in self._unsent.popleft():
                self._transport.write(chunk)

    def _write_on(self) -> None:
        while self._unsent and not self._paused:
            chunk = next(self._unsent[0], None)
            if chunk is None:
                self._unsent.popleft()
            else:
                self._transport.write(chunk)
