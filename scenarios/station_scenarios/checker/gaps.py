"""Records that the broker lost, and gaps that the service declared."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CutHead:
    """The story removed all records of a partition below `before_offset`."""

    topic: str
    partition: int
    before_offset: int


@dataclass(frozen=True, slots=True)
class DeclaredGap:
    """A gap event: offsets from `start_offset` up to, not including, `end_offset` are lost.

    `committed_offset` is what was committed when the life that declared it began (0: nothing).
    """

    cause: str
    topic: str
    partition: int
    start_offset: int
    end_offset: int
    at_s: float
    committed_offset: int
