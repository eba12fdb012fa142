"""The service that is killed: a program of its own, of the public interface alone.

    python service.py BOOTSTRAP JOURNAL LIFE SESSION_TIMEOUT_MS [INSTANCE_ID]

Each callback appends a line to JOURNAL before it returns: the life, the record's number, and epoch
milliseconds. What a process has written stays when it is killed; only a machine that loses its
power would need more. SIGTERM ends it in order.
"""

import asyncio
import logging
import os
import signal
import sys
import time
from types import SimpleNamespace
from typing import Any

from data_analysis import AsyncDataAnalysisService

GROUP = "kills"
TOPIC = "OWN-DATA"
MODULE = "m"
WINDOW = 3


def make_service(
    bootstrap: str, session_timeout_ms: int, instance_id: str | None
) -> AsyncDataAnalysisService:
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
    return AsyncDataAnalysisService(
        MODULE, kafka_config=kafka, config=config, instance_id=instance_id
    )


async def main(
    bootstrap: str,
    journal: str,
    life: str,
    session_timeout_ms: str,
    instance_id: str | None = None,
) -> None:
    """Run until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {life} %(name)s: %(message)s")
    descriptor = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def callback(station_id: str, given: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0)
        os.write(descriptor, f"{life} {given['n']} {time.time_ns() // 1_000_000}\n".encode())
        return {"n": given["n"]}

    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    service = make_service(bootstrap, int(session_timeout_ms), instance_id)
    await service.start(callback)
    await over.wait()
    await service.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
