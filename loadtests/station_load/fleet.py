"""All gateways of a sending process, and the sum of what they sent.

One gateway is in `gateway.py`, the Locust user that drives it in `users.py`.
"""

import time
from typing import Any

from station_load.gateway import Gateway, Outcome
from station_load.plan import LoadPlan
from station_load.schedule import Schedule


class Fleet:
    """The gateways of a plan; `run` is the number that its records carry."""

    def __init__(self, plan: LoadPlan, *, bootstrap: str, run: int) -> None:
        self.plan = plan
        self.trouble: Exception | None = None
        self._bootstrap = bootstrap
        self._run = run
        self._gateways: list[Gateway] = []
        self._ended = 0

    def make_gateway(self, outcome: Outcome) -> Gateway:
        """The gateway of the next user; there are as many as the plan has users."""
        plan = self.plan
        schedule = Schedule(
            plan.station_ids(len(self._gateways)),
            period_s=plan.period_s,
            duration_s=plan.duration_s,
            seed=plan.seed,
        )
        gateway = Gateway(self._bootstrap, schedule, run=self._run, seed=plan.seed, outcome=outcome)
        self._gateways.append(gateway)
        return gateway

    def gateway_ended(self, trouble: Exception | None = None) -> None:
        """A gateway has sent all it will, or could not."""
        self._ended += 1
        self.trouble = self.trouble or trouble

    @property
    def is_finished(self) -> bool:
        """No gateway will send any more."""
        return self.trouble is not None or self._ended == self.plan.users

    def halt(self) -> None:
        """Let every gateway send nothing more."""
        for gateway in self._gateways:
            gateway.halt()

    def close(self, *, within_s: float) -> None:
        """Wait for answers, all gateways together, and disconnect."""
        deadline_s = time.monotonic() + within_s
        for gateway in self._gateways:
            gateway.close(within_s=max(0.0, deadline_s - time.monotonic()))

    def counts(self) -> dict[str, int]:
        """`sent` (acknowledged by Kafka), `pending` and `failed` records so far."""
        gateways = self._gateways
        return {
            "sent": sum(
                len(each) for gateway in gateways for each in gateway.acknowledged.values()
            ),
            "pending": sum(gateway.pending for gateway in gateways),
            "failed": sum(gateway.failed for gateway in gateways),
        }

    def account(self) -> dict[str, Any]:
        """The final account, ready for JSON.

        `acknowledged` maps each station to its ranges of record numbers; `failed` counts records
        whose sending failed or had no answer, `unsent` those that were never sent; instants are in
        epoch seconds; `error` is the last reason of a failure.
        """
        gateways = self._gateways
        firsts = [each.first_due_s for each in gateways if each.first_due_s is not None]
        lasts = [
            each.last_acknowledged_s for each in gateways if each.last_acknowledged_s is not None
        ]
        errors = [each.last_error for each in gateways if each.last_error is not None]
        return {
            "acknowledged": {
                station: ranges.pairs
                for gateway in gateways
                for station, ranges in gateway.acknowledged.items()
            },
            "failed": sum(gateway.failed + gateway.pending for gateway in gateways),
            "unsent": sum(gateway.unsent for gateway in gateways),
            "first_due_s": min(firsts, default=None),
            "last_acknowledged_s": max(lasts, default=None),
            "error": f"{type(errors[-1]).__name__}: {errors[-1]}" if errors else None,
        }
