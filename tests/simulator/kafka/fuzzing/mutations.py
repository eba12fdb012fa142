"""Frames altered at random, by a seed: what one connection sends in place of a client."""

import random
import struct
from collections.abc import Callable, Sequence

FRAMES_PER_CONNECTION = 6
INTERESTING = (
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\xff\xff",
    b"\x7f\xff",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"\xff\xff\xff\xff\x0f",
    b"\xff\xff\xff\xff\x07",
    b"\xff" * 10,
    b"\0" * 8,
    b"\x7f" + b"\xff" * 7,
    b"\x80" + b"\0" * 7,
)
"""Bounds of the protocol's numbers, fixed and of variable length."""

LENGTHS = (-1, 0, 1, 4, 2**31 - 1, -(2**31), 104_857_600, 104_857_601)

Mutation = Callable[[bytes, Sequence[bytes], random.Random], bytes]


def sent_by_a_mutant(frames: Sequence[bytes], rng: random.Random) -> bytes:
    """All bytes of one connection: a piece of a client's life or frames at random, some altered."""
    count = rng.randint(1, FRAMES_PER_CONNECTION)
    if rng.random() < 0.5:
        first = rng.randrange(len(frames))
        chosen = frames[first : first + count]
    else:
        chosen = rng.choices(frames, k=count)
    return b"".join(_framed(_altered(frame, frames, rng), rng) for frame in chosen)


def _altered(frame: bytes, frames: Sequence[bytes], rng: random.Random) -> bytes:
    for _ in range(rng.choice((0, 0, 0, 1, 1, 1, 2, 5))):
        frame = rng.choice(MUTATIONS)(frame, frames, rng)
    return frame


def _framed(frame: bytes, rng: random.Random) -> bytes:
    length = len(frame) if rng.random() < 0.98 else rng.choice(LENGTHS)
    return struct.pack(">i", length) + frame


def flip(frame: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    """Flip one bit."""
    if not frame:
        return frame
    altered = bytearray(frame)
    altered[rng.randrange(len(frame))] ^= 1 << rng.randrange(8)
    return bytes(altered)


def cut(frame: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    """Cut the end off."""
    return frame[: rng.randrange(len(frame) + 1)]


def overwrite(frame: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    """Write a number at the bounds somewhere."""
    at, piece = rng.randrange(len(frame) + 1), rng.choice(INTERESTING)
    return frame[:at] + piece + frame[at + len(piece) :]


def insert(frame: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    """Put a few bytes in."""
    at = rng.randrange(len(frame) + 1)
    return frame[:at] + rng.randbytes(rng.randrange(1, 9)) + frame[at:]


def remove(frame: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    """Take a few bytes out."""
    at = rng.randrange(len(frame) + 1)
    return frame[:at] + frame[at + rng.randrange(1, 9) :]


def repeat(frame: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    """Have a piece come twice."""
    first, last = sorted(rng.choices(range(len(frame) + 1), k=2))
    return frame[:last] + frame[first:]


def splice(frame: bytes, frames: Sequence[bytes], rng: random.Random) -> bytes:
    """Go on with another frame's end."""
    other = rng.choice(frames)
    return frame[: rng.randrange(len(frame) + 1)] + other[rng.randrange(len(other) + 1) :]


def change_version(frame: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    """Ask in another version."""
    return frame[:2] + struct.pack(">h", rng.randrange(-1, 20)) + frame[4:]


def change_kind(frame: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    """Be another kind of request."""
    return struct.pack(">h", rng.randrange(-1, 70)) + frame[2:]


MUTATIONS: tuple[Mutation, ...] = (
    flip,
    flip,
    cut,
    overwrite,
    overwrite,
    insert,
    remove,
    repeat,
    splice,
    change_version,
    change_kind,
)
