"""The sending process: Locust, headless, driving the fleet of a plan.

    python -m station_load.sending '{"parent_pid": ..., "bootstrap": ..., "run": ..., "plan": ...}'

It answers `progress` twice a second, and `account` at the end: when the schedule is over, or on
SIGTERM. Locust runs as a library here, so it binds no port and reads no configuration of its own.
"""

import json
import signal
import sys
import time

import gevent
from locust.env import Environment

from station_load.fleet import Fleet
from station_load.plan import LoadPlan
from station_load.tether import Tether
from station_load.users import StationGateway

PROGRESS_EVERY_S = 0.5

OVERTIME_S = 5.0
"""How long after the schedule's end a sender that is behind may go on."""

CONNECT_WITHIN_S = 15.0
CLOSE_WITHIN_S = 5.0


def main() -> int:
    """Send; returns the exit code: 0, or 1 when Kafka could not be reached."""
    order = json.loads(sys.argv[1])
    tether = Tether(order["parent_pid"])
    fleet = Fleet(LoadPlan.from_json(order["plan"]), bootstrap=order["bootstrap"], run=order["run"])
    try:
        latencies = send(fleet, tether)
        if fleet.trouble is not None:
            tether.say("failed", reason=f"{type(fleet.trouble).__name__}: {fleet.trouble}")
            return 1
        tether.say("account", **fleet.account(), **latencies)
    except BrokenPipeError:  # nobody is there to be told
        return 1
    return 0


def send(fleet: Fleet, tether: Tether) -> dict[str, float | None]:
    """Run the fleet's users to the end of their schedule, or to SIGTERM.

    Returns Locust's statistics of the acknowledgements, in ms from when a record was due.
    """
    StationGateway.fleet = fleet
    environment = Environment(user_classes=[StationGateway])
    runner = environment.create_local_runner()
    stopped = gevent.event.Event()
    gevent.signal_handler(signal.SIGTERM, stopped.set)
    runner.start(fleet.plan.users, spawn_rate=fleet.plan.users)
    deadline_s = time.monotonic() + fleet.plan.duration_s + CONNECT_WITHIN_S + OVERTIME_S
    try:
        while not (fleet.is_finished or stopped.is_set() or time.monotonic() > deadline_s):
            tether.say("progress", **fleet.counts())
            _wait(fleet, stopped)
    finally:
        fleet.halt()
        fleet.close(within_s=CLOSE_WITHIN_S)
        runner.quit()
    total = environment.stats.total
    return {
        "sent_p50_ms": total.get_response_time_percentile(0.50),
        "sent_p99_ms": total.get_response_time_percentile(0.99),
    }


def _wait(fleet: Fleet, stopped: gevent.event.Event) -> None:
    until_s = time.monotonic() + PROGRESS_EVERY_S
    while time.monotonic() < until_s and not fleet.is_finished and not stopped.is_set():
        stopped.wait(0.05)


if __name__ == "__main__":
    sys.exit(main())
