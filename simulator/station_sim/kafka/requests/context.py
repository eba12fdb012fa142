"""What a handler knows about a request besides its fields: its version and who sent it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from station_sim.kafka.node import Node
    from station_sim.kafka.sasl.authentication import Authentication


class Peer(Protocol):
    """The connection a request came on; `authentication` is None where nobody has to prove it."""

    authentication: "Authentication | None"

    def close(self) -> None:
        """Send what is written, then close; requests that still wait are dropped."""

    def abort(self) -> None:
        """Close at once; what was not sent yet is lost."""

    def mute(self, duration_s: float) -> None:
        """Handle no further request for so long."""


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Header and origin of one request, and the node that was asked.

    `client_host` is as Kafka shows it, with a slash.
    """

    version: int
    correlation_id: int
    client_id: str | None
    client_host: str
    node: "Node"
    connection: Peer
