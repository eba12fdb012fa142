"""One way to ask for a broker: virtual, embedded, docker, jvm or host:port."""

from aiokafka.structs import OffsetAndMetadata

from station_sim.brokers.availability import kafka_is_required, why_no_kafka
from station_sim.brokers.broker import Broker
from station_sim.brokers.opening import KINDS, make_broker, open_broker
from station_sim.brokers.topics import TopicSpec

__all__ = [
    "KINDS",
    "Broker",
    "OffsetAndMetadata",
    "TopicSpec",
    "kafka_is_required",
    "make_broker",
    "open_broker",
    "why_no_kafka",
]
