"""Which client libraries there are, and where each runs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from tests.contract.clients import through_aiokafka, through_confluent, through_kafka_python
from tests.contract.clients.interface import Admin, Consumer, Producer
from tests.contract.clients.settings import ConsumerSettings, ProducerSettings

WIRE = "wire"
"""In place of a client: cases that send bare requests."""


@dataclass(frozen=True)
class ClientKind:
    """A client library: how to open its clients at `host:port`."""

    name: str
    open_producer: Callable[[str, ProducerSettings], Awaitable[Producer]]
    open_consumer: Callable[[str, ConsumerSettings], Awaitable[Consumer]]
    open_admin: Callable[[str, Mapping[str, str]], Awaitable[Admin]]


def _kind(name: str, module: object) -> ClientKind:
    names = ("open_producer", "open_consumer", "open_admin")
    return ClientKind(name, *(getattr(module, each) for each in names))


KINDS = {
    kind.name: kind
    for kind in (
        _kind("aiokafka", through_aiokafka),
        _kind("kafka-python", through_kafka_python),
        _kind("confluent-kafka", through_confluent),
    )
}
EVERY_CLIENT = tuple(KINDS)
IN_VIRTUAL_TIME = (WIRE, "aiokafka", "kafka-python")
"""confluent-kafka is C code with threads and sockets of its own, which no world can replace."""
