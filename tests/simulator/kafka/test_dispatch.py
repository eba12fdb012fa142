"""Frames that are no requests: whatever is in them, they are refused quickly and by one error."""

import random
import struct
from typing import Any

import pytest

from station_sim.kafka.cluster import Cluster
from station_sim.kafka.dispatch import BadRequestError, read_call
from station_sim.kafka.requests.registry import KINDS, Kind

ABSURD_SIZES = (
    b"\x7f\xff\xff\xff",
    b"\x80\x00\x00\x00",
    b"\xff\xff\xff\xff\x0f",
    b"\xff\xff\xff\xff\x07",
    b"\xff" * 10 + b"\x01",
)


NODE = Cluster(rng=random.Random(1)).controller


class NoConnection:
    """No request gets as far as closing it."""

    def close(self) -> None:
        raise AssertionError("closed")

    abort = close


def read(frame: bytes) -> None:
    """Read a frame; one that is no request is refused, anything else passes through."""
    try:
        read_call(frame, node=NODE, client_host="/test", connection=NoConnection())
    except BadRequestError:
        return


def head_of(kind: Kind, version: int) -> bytes:
    head = struct.pack(">hhih", kind.api_key, version, 1, 1) + b"c"
    return head + b"\0" if kind.request.flexible_version_q(version) else head


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_absurd_sizes_and_garbage_raise_nothing_else(kind: Any) -> None:
    rng = random.Random(kind.name)
    for version in range(kind.versions[0], kind.versions[1] + 1):
        head = head_of(kind, version)
        for size in ABSURD_SIZES:
            for before in range(24):
                read(head + bytes(before) + size)
                read(head + bytes(before) + size + bytes(200))
        for _ in range(100):
            read(head + rng.randbytes(rng.randrange(80)))


def test_a_header_number_without_end_is_refused() -> None:
    head = struct.pack(">hhih", 3, 9, 1, 1) + b"c"
    with pytest.raises(BadRequestError, match="does not end"):
        read_call(
            head + b"\xff" * 1_000_000, node=NODE, client_host="/test", connection=NoConnection()
        )
