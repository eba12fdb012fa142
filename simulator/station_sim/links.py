"""What the way between two hosts is like: its latency, its jitter, its bandwidth.

What a message makes of it is in `wire.py`; that a way may be blocked is the network's.
"""

import random
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Latency:
    """One-way delay of a message: uniform between the two, in seconds; the difference is jitter."""

    min_s: float = 0.0005
    max_s: float = 0.0010

    def __post_init__(self) -> None:
        if not 0 <= self.min_s <= self.max_s < float("inf"):
            raise ValueError(f"latency must have 0 <= min_s <= max_s, got {self}")

    def draw_s(self, rng: random.Random) -> float:
        """The next message's delay in seconds."""
        return self.min_s + (self.max_s - self.min_s) * rng.random()


@dataclass(frozen=True)
class Link:
    """One way between two hosts.

    `bytes_per_s` is the bandwidth that each connection has for itself, None for any.
    """

    latency: Latency = field(default_factory=Latency)
    bytes_per_s: float | None = None

    def __post_init__(self) -> None:
        if self.bytes_per_s is not None and not self.bytes_per_s > 0:
            raise ValueError(f"bytes_per_s={self.bytes_per_s} must be above 0; partition for none")

    def sending_s(self, size_bytes: int) -> float:
        """How long a message takes until its last byte is under way."""
        return 0.0 if self.bytes_per_s is None else size_bytes / self.bytes_per_s


class Links:
    """The links of one network: `usual`, but where another was put."""

    def __init__(self) -> None:
        self.usual = Link()
        self._others: dict[tuple[str, str], Link] = {}

    def between(self, source: str, target: str) -> Link:
        """The link for messages from `source` to `target`."""
        return self._others.get((source, target), self.usual) if self._others else self.usual

    def put(self, ways: list[tuple[str, str]], link: Link) -> None:
        """Let messages go by `link` on these ways."""
        self._others.update(dict.fromkeys(ways, link))

    def remove(self, ways: list[tuple[str, str]]) -> None:
        """Let them go by the usual link again; raises ValueError where they do."""
        for source, target in ways:
            if (source, target) not in self._others:
                raise ValueError(f"{source} to {target} has the usual link already")
        for way in ways:
            del self._others[way]
