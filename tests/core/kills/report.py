"""Prints how many records were handled again after kills and crashes; exits with 1 for a loss.

    python -m tests.core.kills.report [--broker jvm] [--shell async] [--kills 200] [--every 1]

First a service is killed at random moments on a broker in real time, then it crashes at every step
(or every so-manieth) of its virtual run.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from station_sim.brokers import open_broker
from tests.core.kills.killing import PROPERTIES, Killed, kill_again_and_again
from tests.core.kills.steps import REQUESTS, Crash, Told, tell

STORIES = (("alone", False), ("with a member that joins and leaves", True))


async def _killed(kind: str, shell: str, kills: int, seed: int) -> Killed:
    with tempfile.TemporaryDirectory() as folder:
        async with open_broker(kind, server_properties=PROPERTIES) as broker:
            return await kill_again_and_again(broker, Path(folder), kills, seed, shell)


def _crashed(every: int, *, shared: bool) -> list[Told]:
    told: list[Told] = []
    for static in (False, True):
        untouched = tell(None, static=static, shared=shared)
        crashes = [Crash("iteration", step) for step in range(1, untouched.iterations)]
        crashes += [Crash(sort, step) for sort in REQUESTS for step in range(untouched.requests)]
        told += [tell(crash, static=static, shared=shared) for crash in crashes[::every]]
    return told


def _show(what: str, line: str, wrong: list[str]) -> bool:
    print(f"{what}: {line}; wrong {len(wrong)}", flush=True)
    for text in wrong[:20]:
        print(f"  {text}")
    return not wrong


def _line(told: list[Told]) -> str:
    duplicates = sorted(each.tally.duplicates for each in told)
    records = told[0].tally.records
    return (
        f"{len(told)} crashes, {records} records each, {sum(duplicates)} duplicates;"
        f" by one crash {duplicates[-1]} at most, {duplicates[len(duplicates) // 2]} in the middle"
    )


def main() -> int:
    """Print the report."""
    parser = argparse.ArgumentParser(description="what kills and crashes of a service cost")
    parser.add_argument("--broker", default="jvm", help="embedded, jvm, docker (%(default)s)")
    parser.add_argument("--shell", default="async", help="async or sync (%(default)s)")
    parser.add_argument("--kills", type=int, default=200, help="in real time (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (%(default)s)")
    parser.add_argument("--every", type=int, default=1, help="so-manieth step (%(default)s)")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    killed = asyncio.run(_killed(given.broker, given.shell, given.kills, given.seed))
    held = _show(f"{given.broker}, {given.shell}", killed.tally.line(), killed.wrong)
    print("  duplicates kill by kill:", *killed.tally.again)
    for name, shared in STORIES:
        told = _crashed(given.every, shared=shared)
        held &= _show(
            f"virtual, {name}", _line(told), [text for each in told for text in each.wrong]
        )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
