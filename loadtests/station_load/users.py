"""The Locust user: a gateway that forwards its stations' records when they are due.

Importing this module patches the process for gevent, so it is imported in the sending process only
(`sending.py`). Locust's statistics show every record as a request `KAFKA REAL-STATION-DATA`, its
response time counted from when it was due to Kafka's acknowledgement.
"""

from typing import Any, ClassVar

from kafka.errors import KafkaError
from locust import User, task
from locust.exception import StopUser

from station_load.fleet import Fleet
from station_load.plan import INPUT_TOPIC

TICK_S = 0.002
"""Records due within one tick are sent together, which halves the processor's work."""

CLOSE_WITHIN_S = 10.0


class StationGateway(User):
    """One gateway of the fleet; it stops by itself at the end of its schedule."""

    fleet: ClassVar[Fleet]

    def on_start(self) -> None:
        """Connect; a gateway that cannot tells its fleet why."""
        self.gateway = self.fleet.make_gateway(self._answered)
        try:
            self.gateway.connect()
        except KafkaError as error:
            self.fleet.gateway_ended(error)
            raise StopUser from error

    def wait_time(self) -> float:
        """Seconds until the next record is due: the schedule's pace, not the last answer's."""
        return max(TICK_S, self.gateway.wait_s)

    @task
    def forward(self) -> None:
        """Send what is due now."""
        self.gateway.send_due()
        if self.gateway.is_finished:
            self.gateway.close(within_s=CLOSE_WITHIN_S)
            self.fleet.gateway_ended()
            raise StopUser

    def _answered(self, elapsed_ms: float, size_bytes: int, error: Exception | None) -> None:
        context: dict[str, Any] = {}
        self.environment.events.request.fire(
            request_type="KAFKA",
            name=INPUT_TOPIC,
            response_time=elapsed_ms,
            response_length=size_bytes,
            exception=error,
            context=context,
        )
