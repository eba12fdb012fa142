"""In what a body that blocks is run: real threads in real time, or virtual ones."""

import threading
from collections.abc import Callable
from typing import TypeVar

from station_sim.blocking import run_virtual_blocking

T = TypeVar("T")

DEADLINE_S = 30.0
"""Beyond this a body that runs in real time has failed."""


def in_real_time(body: Callable[[], T]) -> T:
    """Run in a real thread, so that a body that hangs fails."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(body())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(DEADLINE_S)
    assert not thread.is_alive(), f"no end in {DEADLINE_S} s"
    for error in errors:
        raise error
    return results[0]


WORLDS: dict[str, Callable[[Callable[[], object]], object]] = {
    "real": in_real_time,
    "virtual": run_virtual_blocking,
}
