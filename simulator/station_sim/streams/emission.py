"""One record that the world wants said: the truth, before anything is done to it.

Who sends it, and what became of it, is `gateway`'s and `ledger`'s business.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

STATIONS_PER_RECORD_MAX = 200  # at most about 250 kB, well under Kafka's limit of 1 MiB


class Emission(NamedTuple):
    """A record due at `due_s` story seconds.

    `key` is the station's id where the record is one station's, else None. `value` is the JSON
    value of the wire; whoever receives it must not change it. `stations` are the ids the record
    speaks of, empty where it is everybody's. `timestamp_ms` is the Kafka record timestamp.
    """

    due_s: float
    topic: str
    key: str | None
    value: Any
    stations: tuple[str, ...]
    timestamp_ms: int


Emit = Callable[[Emission], None]
