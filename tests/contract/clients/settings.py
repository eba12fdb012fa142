"""What a case may choose of a producer and a consumer; each client has its own names for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ProducerSettings:
    """Settings of a producer. `acks` is 0, 1 or -1 (all in sync)."""

    compression: str | None = None
    linger_ms: int = 0
    batch_bytes: int = 16_384
    request_bytes_max: int = 1_048_576
    acks: int = -1
    idempotent: bool = False
    transactional_id: str | None = None
    transaction_timeout_ms: int = 60_000
    login: Mapping[str, str] = field(default_factory=dict)
    """SASL in the names of aiokafka and kafka-python: what `Broker.client_options` returns."""


@dataclass(frozen=True)
class ConsumerSettings:
    """Settings of a consumer. It begins at the earliest record and commits nothing by itself."""

    group: str | None = None
    instance: str | None = None
    """The instance id of a static member."""
    reset: str = "earliest"
    """Where to begin without a position: `earliest`, `latest` or `none`, which raises."""
    auto_commit: bool = False
    committed_only: bool = False
    """Reads what transactions have committed only."""
    assignor: str = "range"
    """`range`, `roundrobin`, or `cooperative` where the client has it."""
    session_timeout_ms: int = 30_000
    heartbeat_interval_ms: int = 200
    max_poll_interval_ms: int = 60_000
    """The time members have for a rebalance, and for their next poll."""
    partition_bytes_max: int = 1_048_576
    may_create_topics: bool = False
    login: Mapping[str, str] = field(default_factory=dict)
    """As a producer's."""
