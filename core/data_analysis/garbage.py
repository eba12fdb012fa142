"""Python's search for garbage, where it can find none."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

LARGE_BYTES = 256 * 1024
"""Records from here on are thousands of objects."""


@contextmanager
def searched_later(value: bytes | None) -> Iterator[None]:
    """Put the search for garbage off while a large record is read and its tree is let go.

    The search goes through all that is young again and again while more is made: for a tree of
    JSON, which has no cycles, that costs more than making it. What is switched off stays off.
    """
    if value is None or len(value) < LARGE_BYTES or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
