"""What a topic shall be like when it is made.

Only the description lives here; `broker.py` makes topics from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

STORY_TIME_CONFIG: Mapping[str, str] = MappingProxyType(
    {
        "retention.ms": "-1",
        "message.timestamp.before.max.ms": str(2**63 - 1),
        "message.timestamp.after.max.ms": str(2**63 - 1),
    }
)
"""Records carry story time, months from the broker's clock maybe: none is refused or expired."""


@dataclass(frozen=True)
class TopicSpec:
    """A topic to make.

    `config` holds Kafka's own topic settings as text and goes over `STORY_TIME_CONFIG`.
    `replication_factor=None` leaves the choice to the broker: 1 on brokers of ours.
    """

    name: str
    partitions: int = 1
    config: Mapping[str, str] = field(default_factory=dict)
    replication_factor: int | None = None

    def __post_init__(self) -> None:
        if self.partitions < 1:
            raise ValueError(
                f"topic {self.name!r} needs at least 1 partition, got {self.partitions}"
            )

    @property
    def full_config(self) -> dict[str, str]:
        """The topic's settings, the ones for story time included."""
        return {**STORY_TIME_CONFIG, **self.config}
