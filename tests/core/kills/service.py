"""The service that is killed: a program of its own, of the public interface alone.

    python service.py SHELL BOOTSTRAP JOURNAL LIFE SESSION_TIMEOUT_MS [INSTANCE_ID]

SHELL is `async` or `sync`.

Each callback appends a line to JOURNAL before it returns: the life, the record's number, and epoch
milliseconds. What a process has written stays when it is killed; only a machine that loses its
power would need more. SIGTERM ends it in order.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

from data_analysis import AsyncDataAnalysisService, DataAnalysisService

GROUP = "kills"
TOPIC = "OWN-DATA"
MODULE = "m"
WINDOW = 3


def options(bootstrap: str, session_timeout_ms: int, instance_id: str | None) -> dict[str, Any]:
    """A service with the defaults of the library, but for the session timeout."""
    detail = {TOPIC: {"fields": ["n"], "modules": [MODULE], "window_size": WINDOW}}
    kafka = {
        "bootstrap_servers": [bootstrap],
        "group_id": GROUP,
        "auto_offset_reset": "earliest",
        "session_timeout_ms": session_timeout_ms,
        "heartbeat_interval_ms": session_timeout_ms // 3,
    }
    config = SimpleNamespace(TOPIC_DETAIL=detail, MODULE_DEPENDENCIES={}, OFFSET_COMMIT_CONFIG={})
    return {
        "module_name": MODULE,
        "kafka_config": kafka,
        "config": config,
        "instance_id": instance_id,
    }


class Journal:
    """The file to which each callback appends a line."""

    def __init__(self, path: str, life: str) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._life = life

    def note(self, station_id: str, given: dict[str, Any]) -> dict[str, Any]:
        """A callback: note the record and answer with its number."""
        at_ms = time.time_ns() // 1_000_000
        os.write(self._descriptor, f"{self._life} {given['n']} {at_ms}\n".encode())
        return {"n": given["n"]}


async def live_async(given: dict[str, Any], journal: Journal) -> None:
    """Run the asynchronous service until SIGTERM."""

    async def callback(station_id: str, module_input: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0)
        return journal.note(station_id, module_input)

    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    service = AsyncDataAnalysisService(**given)
    await service.start(callback)
    await over.wait()
    await service.stop()


def live_sync(given: dict[str, Any], journal: Journal) -> None:
    """Run the blocking service until SIGTERM."""
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    service = DataAnalysisService(**given)
    service.start(journal.note)
    over.wait()
    service.stop()


def main(
    shell: str,
    bootstrap: str,
    journal: str,
    life: str,
    session_timeout_ms: str,
    instance_id: str | None = None,
) -> None:
    """Run until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {life} %(name)s: %(message)s")
    given = options(bootstrap, int(session_timeout_ms), instance_id)
    if shell == "sync":
        live_sync(given, Journal(journal, life))
    else:
        asyncio.run(live_async(given, Journal(journal, life)))


if __name__ == "__main__":
    main(*sys.argv[1:])
