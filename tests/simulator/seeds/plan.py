"""What a seed decides of a story: who joins and leaves when, what is aborted, what goes wrong.

The delays of the network are the world's own matter, and decided by the same seed.
"""

import asyncio
import hashlib
import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from station_sim.kafka.cluster import Cluster
from station_sim.kafka.error_codes import ErrorCode

READINGS, PAYMENTS, GROUP = "READINGS", "PAYMENTS", "g"
"""Names of one length: which comes first makes no message longer."""

MEMBERS = 3

TRANSACTIONS = 4

READINGS_SENT = 12

END_S = 8.5
"""When who still is in the group leaves it."""

TROUBLES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Fetch", {"drop": "before"}),
    ("Fetch", {"delay_s": 1.5}),
    ("Produce", {"drop": "after"}),
    ("Produce", {"answer": ErrorCode.NOT_LEADER_OR_FOLLOWER}),
    ("OffsetCommit", {"delay_s": 0.8}),
    ("Heartbeat", {"drop": "before"}),
    ("JoinGroup", {"delay_s": 0.4}),
    ("SyncGroup", {"drop": "after"}),
    ("Metadata", {"delay_s": 0.7}),
    ("EndTxn", {"answer": ErrorCode.CONCURRENT_TRANSACTIONS}),
)
"""Kinds of requests, and what is done to one of them."""


@dataclass(frozen=True)
class Plan:
    """Seconds are those since the world began."""

    joins_s: tuple[float, ...]
    leaves_s: tuple[float, ...]
    aborts: tuple[bool, ...]
    pause_s: float
    troubles: tuple[tuple[float, int], ...]
    """When each begins, and which it is."""

    @classmethod
    def of(cls, seed: int) -> "Plan":
        """The plan of a seed: the third member comes late, and the first leaves early."""
        draw = random.Random(f"plan {seed}")
        return cls(
            joins_s=(0.0, draw.uniform(0, 1), draw.uniform(2, 4)),
            leaves_s=(draw.uniform(5, 6), END_S, END_S),
            aborts=tuple(draw.random() < 0.4 for _ in range(TRANSACTIONS)),
            pause_s=draw.uniform(0.4, 0.6),
            troubles=tuple(
                sorted((draw.uniform(1, 7), draw.randrange(len(TROUBLES))) for _ in range(3))
            ),
        )


async def make_trouble(cluster: Cluster, plan: Plan) -> None:
    """Let one request each go wrong, from its time on."""
    loop = asyncio.get_running_loop()
    for at_s, which in plan.troubles:
        await asyncio.sleep(at_s - loop.time())
        kind, options = TROUBLES[which]
        cluster.faults.install(kind, count=1, **options)


class Seen:
    """What each part of a story saw, in its own order."""

    def __init__(self) -> None:
        self.streams: dict[str, list[tuple[Any, ...]]] = defaultdict(list)

    def note(self, who: str, at_s: float, *what: object) -> None:
        """Somebody saw something."""
        self.streams[who].append((at_s, *what))

    def note_requests(self, cluster: Cluster) -> None:
        """All that the broker was asked, and what it answered.

        Clients keep topics and partitions in sets of strings, so in which order they are asked for
        is decided by the process's hashes. So it is noted when which kind of request came, and how
        often which partition was asked for; not of committed offsets, for aiokafka asks for them
        one by one, and a rebalance may interrupt it.
        """
        named: Counter[tuple[str, str, int]] = Counter()
        for request in cluster.requests:
            self.note(
                "broker",
                request.asked_s,
                request.kind,
                request.client_id,
                request.groups,
                request.request_bytes,
                request.answered_s,
                request.answer_bytes,
                sorted(request.error_codes),
            )
            if request.kind != "OffsetFetch":
                named.update((request.kind, *partition) for partition in request.partitions)
        self.note("partitions", 0.0, sorted(named.items()))

    def digest(self) -> str:
        """A hash of all of it."""
        told = repr(sorted(self.streams.items()))
        return hashlib.sha256(told.encode()).hexdigest()
