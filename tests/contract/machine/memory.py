"""What a side knows from its broker's answers: ids that were given, epochs, sequences, generations.

Both sides' memories follow the same rules, so that two brokers which agree are asked the same.
"""

import uuid
from dataclasses import dataclass, field

NOBODY = uuid.UUID(int=0)
TRANSACTIONAL = (2, 3)
"""Producers with a transactional id; the others are idempotent only."""


@dataclass
class ProducerMemory:
    """A producer as its last answers left it."""

    producer_id: int = -1
    epoch: int = -1
    sequences: dict[tuple[int, int], int] = field(default_factory=dict)
    """The next by topic and partition."""


@dataclass
class MemberMemory:
    """A member as its last answers left it."""

    member_id: str = ""
    generation: int = -1
    leads: bool = False
    others: tuple[str, ...] = ()
    """Ids of all members, which a leader is told."""
    has_joined: bool = False
    joins: bool = False
    """It has asked to join, and waits for the answer."""


class Memory:
    """Everything that one side knows. `name_of` maps ids to what both sides call them."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.producers: dict[int, ProducerMemory] = {}
        self.members: dict[tuple[int, int], MemberMemory] = {}
        self.topic_ids: dict[int, uuid.UUID] = {}
        self.name_of: dict[object, str] = {}
        self._named: dict[str, int] = {}

    def topic(self, index: int) -> str:
        """Name of a topic."""
        return f"{self.prefix}-t{index}"

    def group(self, index: int) -> str:
        """Id of a group."""
        return f"{self.prefix}-g{index}"

    def transactional_id(self, producer: int) -> str | None:
        """Transactional id of a producer, if it has one."""
        return f"{self.prefix}-p{producer}" if producer in TRANSACTIONAL else None

    def producer(self, index: int) -> ProducerMemory:
        """What is known of a producer."""
        return self.producers.setdefault(index, ProducerMemory())

    def member(self, group: int, index: int) -> MemberMemory:
        """What is known of a member."""
        return self.members.setdefault((group, index), MemberMemory())

    def joined(self, group: int) -> int:
        """How many members of a group have joined and not left, or may be about to join."""
        return sum(
            member.has_joined or member.joins
            for (where, _), member in self.members.items()
            if where == group
        )

    def call(self, real: object, label: str) -> None:
        """Name an id that the broker gave; the next one of the same label is another name."""
        if real in self.name_of or real in ("", -1, None, NOBODY):
            return
        self._named[label] = self._named.get(label, 0) + 1
        self.name_of[real] = f"<{label} #{self._named[label]}>"
