"""A group coordinator on a clock that moves by hand, and members that speak without a wire."""

import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.group import Group
from station_sim.kafka.group_messages import Identity, Join, JoinAnswer, Sync, SyncAnswer
from station_sim.kafka.groups import Groups
from station_sim.kafka.settings import BrokerSettings

GROUP = "g"
SESSION_MS = 10_000
REBALANCE_MS = 30_000


class ManualTimer:
    """A call that is due at a moment."""

    def __init__(self, callback: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.callback: Callable[..., Any] | None = callback
        self.args = args

    def cancel(self) -> None:
        """Forget the call."""
        self.callback = None


class ManualScheduler:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self._now_s = 1000.0
        self._numbers = itertools.count()
        self._timers: list[tuple[float, int, ManualTimer]] = []
        self.calls = 0

    def time(self) -> float:
        """Return the present moment in seconds."""
        return self._now_s

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> ManualTimer:
        """Call `callback(*args)` once `delay` seconds have passed."""
        self.calls += 1
        timer = ManualTimer(callback, args)
        heapq.heappush(self._timers, (self._now_s + delay, next(self._numbers), timer))
        return timer

    def pending(self) -> int:
        """Count the calls that are still to come."""
        return sum(timer.callback is not None for _, _, timer in self._timers)

    def advance(self, ms: float) -> None:
        """Let `ms` pass."""
        end_s = self._now_s + ms / 1000
        while self._timers and self._timers[0][0] <= end_s:
            self._now_s, _, timer = heapq.heappop(self._timers)
            if timer.callback is not None:
                timer.callback(*timer.args)
        self._now_s = end_s


@dataclass(frozen=True, slots=True)
class Commit:
    """What an observer was told."""

    group: str
    topic: str
    partition: int
    offset: int
    metadata: str
    at: float


class Bench:
    """A coordinator, its clock, and what its observers saw."""

    def __init__(self, **settings: Any) -> None:
        self.scheduler = ManualScheduler()
        self.commits: list[Commit] = []
        self.groups = Groups(
            BrokerSettings(**settings),
            now_ms=lambda: round(self.scheduler.time() * 1000),
            rng=random.Random(7),
            observers=[self],
            scheduler=self.scheduler,
        )

    def committed(
        self, group: str, topic: str, partition: int, offset: int, metadata: str, at: float
    ) -> None:
        """See a commit."""
        self.commits.append(Commit(group, topic, partition, offset, metadata, at))

    @property
    def group(self) -> Group:
        """The one group."""
        group = self.groups.get(GROUP)
        assert group is not None
        return group

    @property
    def state(self) -> str:
        """The name of its state."""
        return self.group.state.value

    def advance(self, ms: float) -> None:
        """Let `ms` pass."""
        self.scheduler.advance(ms)

    def member(self, name: str, **join: Any) -> "Actor":
        """Return somebody who has not joined yet."""
        return Actor(self, name, **join)

    def stable(self, *names: str) -> list["Actor"]:
        """Return members of a stable group, the first of them its leader."""
        actors = [self.member(name) for name in names]
        for actor in actors:
            actor.ask_id()
        for actor in actors:
            actor.join()
        self.scheduler.advance(0)
        settle(actors)
        return actors


class Actor:
    """A member as its client is: it remembers its id, its generation and the latest answers."""

    def __init__(self, bench: Bench, name: str, **join: Any) -> None:
        self.bench = bench
        self.wish = replace(
            Join(
                member_id="",
                client_id=name,
                client_host="127.0.0.1",
                session_timeout_ms=SESSION_MS,
                rebalance_timeout_ms=REBALANCE_MS,
                protocol_type="consumer",
                protocols=(("range", name.encode()),),
            ),
            **join,
        )
        self.joined: JoinAnswer | None = None
        self.synced: SyncAnswer | None = None
        self.generation_id = -1

    @property
    def member_id(self) -> str:
        """The id it was given, empty before."""
        return self.wish.member_id

    @property
    def identity(self) -> Identity:
        """How it names itself."""
        return Identity(self.member_id, self.wish.instance_id)

    @property
    def leads(self) -> bool:
        """Whether its last answer made it the leader."""
        return self.joined is not None and self.joined.leader_id == self.member_id

    def ask_id(self) -> JoinAnswer:
        """Join without an id, expecting one."""
        self.join()
        assert self.joined is not None
        assert self.joined.error is ErrorCode.MEMBER_ID_REQUIRED
        return self.joined

    def join(self, **changes: Any) -> None:
        """Join, with what is known and `changes`."""
        self.wish = replace(self.wish, **changes)
        self.joined = None
        self.bench.groups.join(GROUP, self.wish, self._on_joined)

    def _on_joined(self, answer: JoinAnswer) -> None:
        assert self.joined is None
        self.joined = answer
        if answer.error in (ErrorCode.NONE, ErrorCode.MEMBER_ID_REQUIRED):
            self.wish = replace(self.wish, member_id=answer.member_id)
            self.generation_id = answer.generation_id

    def sync(self, **fields: Any) -> None:
        """Ask for the assignment; a leader assigns each member the member's own client id."""
        assignments: dict[str, bytes] = {}
        if self.joined is not None:
            assignments = {m.member_id: b"for " + m.metadata for m in self.joined.members}
        sync = Sync(
            self.member_id,
            self.generation_id,
            instance_id=self.wish.instance_id,
            assignments=assignments,
        )
        self.synced = None
        self.bench.groups.sync(GROUP, replace(sync, **fields), self._on_synced)

    def _on_synced(self, answer: SyncAnswer) -> None:
        assert self.synced is None
        self.synced = answer

    def heartbeat(self, generation_id: int | None = None) -> ErrorCode:
        """Say that it lives."""
        if generation_id is None:
            generation_id = self.generation_id
        return self.bench.groups.heartbeat(GROUP, self.identity, generation_id)

    def leave(self) -> list[ErrorCode]:
        """Leave the group."""
        return self.bench.groups.leave(GROUP, [self.identity])

    def commit(self, offset: int = 1, generation_id: int | None = None) -> ErrorCode:
        """Commit an offset of t-0."""
        if generation_id is None:
            generation_id = self.generation_id
        error = self.bench.groups.check_commit(
            GROUP, self.identity, generation_id, names_missing=False
        )
        if error:
            return error
        return self.bench.groups.commit(GROUP, "t", 0, offset, leader_epoch=0, metadata="m")


def settle(actors: Sequence[Actor]) -> None:
    """Sync a generation that all have joined, the leader last."""
    for actor in sorted(actors, key=lambda actor: actor.leads):
        actor.sync()


def join_errors(actors: Sequence[Actor]) -> list[str | None]:
    """Return the names of the errors of the last joins, `None` for a join without answer."""
    return [None if a.joined is None else a.joined.error.name for a in actors]


def sync_errors(actors: Sequence[Actor]) -> list[str | None]:
    """Return the names of the errors of the last syncs, `None` for a sync without answer."""
    return [None if a.synced is None else a.synced.error.name for a in actors]
