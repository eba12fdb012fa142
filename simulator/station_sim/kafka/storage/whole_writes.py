"""Writing all of some bytes at a place in a file, or none of them."""

import os


def write_whole(descriptor: int, data: bytes, *, at_bytes: int) -> None:
    """Write `data` at `at_bytes`, the file's end; raises `OSError`, and then the file is as before.

    A full disk takes the first part of a write and refuses the rest.
    """
    written = 0
    try:
        while written < len(data):
            written += os.pwrite(descriptor, data[written:], at_bytes + written)
    except OSError:
        os.ftruncate(descriptor, at_bytes)
        raise
