"""Answers leave a connection whole and in order, however they are cut on their way."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from station_sim.kafka.outbox import WHOLE_BYTES_MAX, Frame, Outbox

LARGE = WHOLE_BYTES_MAX

sizes = st.lists(
    st.sampled_from((0, 1, 400, LARGE - 1, LARGE, LARGE + 1, 3 * LARGE)) | st.integers(0, 5000),
    max_size=30,
)


def frame(*sizes: int) -> Frame:
    """Pieces of these sizes, each of a letter of its own."""
    pieces = [bytes((65 + number % 26,)) * size for number, size in enumerate(sizes)]
    return Frame(pieces, sum(sizes))


class Pipe(asyncio.Transport):
    """Remembers each write; after each it says that it is full if told so."""

    def __init__(self, *, is_stream: bool, fills: bool = False) -> None:
        super().__init__({"socket": self} if is_stream else None)
        self.writes: list[bytes] = []
        self.fills = fills
        self.outbox = Outbox(self)

    def write(self, data: Any) -> None:
        """Remember it."""
        self.writes.append(bytes(data))
        if self.fills:
            self.outbox.pause()


@given(sizes=sizes)
def test_chunks_are_the_frame(sizes: list[int]) -> None:
    sent = frame(*sizes)
    chunks = list(sent.chunks())
    assert sent.whole() == b"".join(chunks)
    assert all(len(chunk) <= WHOLE_BYTES_MAX for chunk in chunks)


@given(frames=st.lists(sizes, min_size=1, max_size=4), fills=st.booleans())
def test_everything_leaves_in_order(frames: list[list[int]], fills: bool) -> None:
    pipe = Pipe(is_stream=True, fills=fills)
    for each in frames:
        pipe.outbox.send(frame(*each))
    written = -1
    while written != len(pipe.writes):
        written = len(pipe.writes)
        pipe.outbox.resume()
    assert b"".join(frame(*each).whole() for each in frames) == b"".join(pipe.writes)


def test_small_answers_are_one_write() -> None:
    pipe = Pipe(is_stream=True)
    pipe.outbox.send(frame(8, 400, 1))
    assert [409] == [len(written) for written in pipe.writes]


def test_a_slow_reader_gets_no_more_than_one_chunk_at_a_time() -> None:
    pipe = Pipe(is_stream=True, fills=True)
    pipe.outbox.send(frame(8, 10 * LARGE))
    assert len(pipe.writes) == 1
    assert not pipe.outbox.is_clear


def test_flush_writes_what_waits() -> None:
    pipe = Pipe(is_stream=True, fills=True)
    sent = frame(8, 3 * LARGE)
    pipe.outbox.send(sent)
    pipe.outbox.flush()
    assert sent.whole() == b"".join(pipe.writes)


def test_a_message_of_virtual_time_is_not_cut() -> None:
    pipe = Pipe(is_stream=False)
    pipe.outbox.send(frame(8, 10 * LARGE))
    assert 1 == len(pipe.writes)
