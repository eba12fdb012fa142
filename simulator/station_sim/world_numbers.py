"""What counts upwards for the process counts from its start in each world.

Names of threads and pools, client ids; and what clients compare by address, they compare by the
order in which it was made. Otherwise a world would depend on those that ran before it, and on where
objects happen to lie. How a function is replaced is in `seams.py`.
"""

import itertools
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import kafka.producer.kafka as kafka_producer
from aiokafka import AIOKafkaProducer
from kafka.net.selector import Task

from station_sim.seams import Seams

CPUS = 4
"""What a world says that its machine has: pools choose their size by it."""


def number_from_the_start(seams: Seams) -> None:
    """Let the counters begin anew, until the world ends."""
    _set(seams, threading, "_counter", itertools.count(1).__next__)
    _set(seams, ThreadPoolExecutor, "_counter", itertools.count().__next__)
    _set(seams, AIOKafkaProducer, "_PRODUCER_CLIENT_ID_SEQUENCE", 0)
    _set(seams, kafka_producer, "PRODUCER_CLIENT_ID_SEQUENCE", kafka_producer.AtomicInteger())
    seams.replace(os, "cpu_count", lambda: CPUS)
    for kind in (Task, Future, threading.Thread):
        _number(seams, kind)


def _set(seams: Seams, where: Any, name: str, value: object) -> None:
    before = getattr(where, name)
    setattr(where, name, value)
    seams.on_exit(lambda: setattr(where, name, before))


def _number(seams: Seams, kind: Any) -> None:
    """Number the objects of a class: in sets, and where they are compared, they go by that.

    kafka-python compares tasks that are due at one instant, and in virtual time there are many.
    """
    numbers = itertools.count(1)
    real_init, real_hash = kind.__init__, kind.__hash__

    def init(made: Any, *args: Any, **kwargs: Any) -> None:
        made.world_number = next(numbers)
        real_init(made, *args, **kwargs)

    def number_or_hash(made: Any) -> int:
        number: int | None = vars(made).get("world_number")
        return real_hash(made) if number is None else number

    def precedes(made: Any, other: Any) -> bool:
        return number_or_hash(made) < number_or_hash(other)

    seams.replace(kind, "__init__", init)
    seams.replace(kind, "__hash__", number_or_hash)
    if "__lt__" in vars(kind):
        seams.replace(kind, "__lt__", precedes)
