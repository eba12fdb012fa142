"""The digest of a run: one number over everything that could be observed (semantics 41).

Every kind of observable is a stream of its own (a partition's records, a station's callbacks, a
group's commits, a logger's lines), hashed in its own order with its virtual times; the streams are
combined sorted by name. So nothing depends on how streams interleave inside one instant, and
changing any one observable changes the digest.
"""

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from station_sim.kafka.batches import Batch

LOGGERS = ("data_analysis", "station_sim", "station_scenarios")


class Observables:
    """Takes in what happens; also an observer of the simulated broker (`broker.observers`)."""

    def __init__(self) -> None:
        self._streams: dict[str, hashlib._Hash] = {}

    def note(self, stream: str, *items: object) -> None:
        """Add an observable: texts, numbers, bytes, and lists, tuples and dicts of them."""
        found = self._streams.get(stream)
        if found is None:
            found = self._streams[stream] = hashlib.sha256()
        data = repr(items).encode()
        found.update(len(data).to_bytes(8, "big"))
        found.update(data)

    def appended(
        self, topic: str, partition: int, base_offset: int, batch: Batch, at: float
    ) -> None:
        """A batch was written to a log."""
        self.note(f"records/{topic}/{partition}", base_offset, at, batch.data)

    def committed(
        self, group: str, topic: str, partition: int, offset: int, metadata: str, at: float
    ) -> None:
        """A group's offset was committed."""
        self.note(f"commits/{group}/{topic}/{partition}", offset, metadata, at)

    @contextmanager
    def log_lines(self) -> Iterator[None]:
        """While inside, the lines of `LOGGERS` at INFO and above are observables too."""
        handler = _LogHandler(self)
        before = {name: logging.getLogger(name).level for name in LOGGERS}
        for name, level in before.items():
            logger = logging.getLogger(name)
            logger.addHandler(handler)
            if logger.getEffectiveLevel() > logging.INFO or level == logging.NOTSET:
                logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            for name, level in before.items():
                logging.getLogger(name).removeHandler(handler)
                logging.getLogger(name).setLevel(level)

    def digest(self) -> str:
        """64 hexadecimal digits over all streams so far."""
        whole = hashlib.sha256()
        for name in sorted(self._streams):
            whole.update(f"{len(name)}:{name}".encode())
            whole.update(self._streams[name].digest())
        return whole.hexdigest()


class _LogHandler(logging.Handler):
    """Lines as observables; a line is its logger, its level, its text and its time."""

    def __init__(self, observables: Observables) -> None:
        super().__init__(logging.INFO)
        self._observables = observables

    def emit(self, record: logging.LogRecord) -> None:
        """Note one line."""
        line = (record.levelname, record.getMessage(), time.time())
        self._observables.note(f"log/{record.name}", *line)
