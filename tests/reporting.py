"""How pytest's reports are made in this project: without garbage being collected meanwhile.

A report parses source to show where a test failed. On Python 3.11, a finalizer that runs amid
that and parses something itself (a log line with a traceback does) ends it with a `SystemError`
(gh-106905), which brings a worker down with all its results.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collecting() -> Iterator[None]:
    """No finalizer of garbage in cycles runs meanwhile."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
