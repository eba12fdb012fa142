"""The service's own process: make it by its factory, start it, stop it.

    python -m station_load.service_process '{"parent_pid": ..., "service": "pkg.mod:factory", ...}'

It answers `ready` when the service's `start` has returned, or `failed` with one line. It stops on
SIGTERM, and when its standard input ends, which means that its parent is gone.
"""

import asyncio
import json
import os
import signal
import sys
from typing import Any

from station_load.service import ServiceSetup
from station_load.tether import Tether
from station_load.trace import traced
from station_sim.errors import LabError
from station_sim.named_object import load_callable

STOP_WITHIN_S = 15.0


def main() -> int:
    """Run the service until it is told to stop; returns the exit code."""
    order = json.loads(sys.argv[1])
    tether = Tether(order["parent_pid"])
    try:
        asyncio.run(serve(order, tether))
    except BrokenPipeError:  # nobody is there to be told
        return 1
    except Exception as error:
        # Whatever a user's factory or service raises is that user's to read, on one line.
        tether.say("failed", reason=_one_line(error))
        return 1
    return 0


async def serve(order: dict[str, Any], tether: Tether) -> None:
    """Make the service and start it, wait for the end, stop it."""
    factory = load_callable(order["service"], option="--service", what="factory")
    callback = load_callable(order["callback"], option="--callback", what="function")
    service = factory(**ServiceSetup(**order["setup"]).options)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    loop.add_reader(0, _end_with_parent, stopped)
    await service.start(callback=traced(callback))
    tether.say("ready")
    await stopped.wait()
    loop.remove_reader(0)
    await asyncio.wait_for(service.stop(), STOP_WITHIN_S)


def _end_with_parent(stopped: asyncio.Event) -> None:
    if not os.read(0, 1024):
        asyncio.get_running_loop().remove_reader(0)
        stopped.set()


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, LabError) else f"{type(error).__name__}: {text}"


if __name__ == "__main__":
    sys.exit(main())
