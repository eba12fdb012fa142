"""Faults a test or story installs in the broker, the requests they take, and those they hold.

A fault is installed by `with` and gone afterwards. It takes the requests that match its pattern
(`request_patterns.py`) and that its turn comes for: after the first few, every n-th, with a
probability, so many. What it does to them is in `fault_actions.py`; troubles of the network are in
`station_sim.network`.
"""

import asyncio
import random
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from station_sim.kafka import fault_actions
from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.fault_actions import Action, Drop
from station_sim.kafka.request_log import LoggedRequest
from station_sim.kafka.request_patterns import Pattern

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster
    from station_sim.kafka.dispatch import Call

REMEMBERED_HITS = 1_000
"""How many of the requests it took a fault remembers."""

HIT_DEADLINE_S = 60.0
"""How long a fault is waited for unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Which of the matching requests are taken: counted after the first `skip`.

    Of those, each `every`-th; of those, each with `probability`; of those, the first `count` (None:
    all). Raises: ValueError for numbers that make no sense.
    """

    skip: int = 0
    every: int = 1
    probability: float = 1.0
    count: int | None = None

    def __post_init__(self) -> None:
        if self.skip < 0:
            raise ValueError(f"skip={self.skip} must be >= 0 requests")
        if self.every < 1:
            raise ValueError(f"every={self.every} must be at least 1: each request")
        if not 0 < self.probability <= 1:
            raise ValueError(f"probability={self.probability} must be above 0 and at most 1")
        if self.count is not None and self.count < 1:
            raise ValueError(f"count={self.count} must be at least 1, or None for all")


class Fault:
    """One installed fault.

    `seen` counts the requests that match, `hits` those that it took; `requests` are the newest of
    these, as the request log keeps them, and `held` how many of them wait for `release`.
    """

    def __init__(
        self, faults: "Faults", pattern: Pattern, turns: Turns, action: Action, rng: random.Random
    ) -> None:
        self.pattern = pattern
        self.turns = turns
        self.action = action
        self.seen = 0
        self.hits = 0
        self.requests: deque[LoggedRequest] = deque(maxlen=REMEMBERED_HITS)
        self._faults = faults
        self._rng = rng
        self._held: deque[asyncio.Future[None]] = deque()
        self._awaited: list[tuple[int, asyncio.Future[None]]] = []

    @property
    def held(self) -> int:
        """How many requests wait for `release`."""
        return sum(not waiting.done() for waiting in self._held)

    def release(self, count: int | None = None) -> int:
        """Let the `count` requests held longest go on (None: all), in the order they came.

        Those that come later are held again. Returns how many went.
        """
        released = 0
        while self._held and (count is None or released < count):
            waiting = self._held.popleft()
            if not waiting.done():
                waiting.set_result(None)
                released += 1
        return released

    def remove(self) -> None:
        """Take no further request, and release what is held; a second time is harmless."""
        self._faults.remove(self)
        self.release()

    async def hit(self, count: int = 1, *, deadline_s: float = HIT_DEADLINE_S) -> LoggedRequest:
        """Wait until it has taken `count` requests; returns the newest.

        Raises: TimeoutError if it has not after `deadline_s` of the loop's time.
        """
        if self.hits < count:
            waiting = asyncio.get_running_loop().create_future()
            self._awaited.append((count, waiting))
            try:
                async with asyncio.timeout(deadline_s):
                    await waiting
            except TimeoutError as error:
                raise TimeoutError(
                    f"the fault took {self.hits} of {count} requests in {deadline_s} s; "
                    f"{self.seen} matched {self.pattern}"
                ) from error
        return self.requests[-1]

    def takes(self, request: LoggedRequest) -> bool:
        """Whether it takes a request; it is counted."""
        turns = self.turns
        if turns.count is not None and self.hits >= turns.count:
            return False
        if not self.pattern.matches(request):
            return False
        self.seen += 1
        number = self.seen - turns.skip
        if number < 1 or number % turns.every:
            return False
        if turns.probability < 1 and self._rng.random() >= turns.probability:
            return False
        self.hits += 1
        self.requests.append(request)
        self._tell()
        return True

    def _tell(self) -> None:
        for count, waiting in self._awaited:
            if self.hits >= count and not waiting.done():
                waiting.set_result(None)
        self._awaited = [entry for entry in self._awaited if not entry[1].done()]

    def hold(self) -> "asyncio.Future[None] | None":
        """What a request that it took waits for; None if it holds none."""
        if not self.action.hold:
            return None
        released = asyncio.get_running_loop().create_future()
        self._held.append(released)
        return released

    async def perform(
        self, cluster: "Cluster", call: "Call", released: "asyncio.Future[None] | None"
    ) -> Any:
        """Handle a request that it took: a response, or None for no answer."""
        if released is not None:
            await released
        if self.action.delay_s:
            await asyncio.sleep(self.action.delay_s)
        return await fault_actions.perform(self.action, self.pattern, cluster, call)


class Faults:
    """The faults installed in a broker, in the order they came; `installed` is for looking."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._under_way: dict[asyncio.Task[Any], int] = {}
        self.installed: list[Fault] = []

    def __len__(self) -> int:
        return len(self.installed)

    @contextmanager
    def inject(self, *kinds: str, **options: Any) -> Iterator[Fault]:
        """A fault for as long as the block runs; for the arguments see `install`."""
        fault = self.install(*kinds, **options)
        try:
            yield fault
        finally:
            fault.remove()

    def install(
        self,
        *kinds: str,
        topic: str | None = None,
        partition: int | None = None,
        group: str | None = None,
        client_id: str | None = None,
        node_id: int | None = None,
        skip: int = 0,
        every: int = 1,
        probability: float = 1.0,
        count: int | None = None,
        answer: ErrorCode | int | None = None,
        delay_s: float = 0.0,
        throttle_ms: int = 0,
        drop: Drop | None = None,
        hold: bool = False,
    ) -> Fault:
        """Install a fault until it is removed; `inject` is the same for a block.

        It takes requests of `kinds` (`"Fetch"`, `"OffsetCommit"`, ...; none: of all) that match
        `topic`, `partition`, `group`, `client_id` (`"service-*"` too) and `node_id`. Of these it
        leaves out the first `skip`, takes every `every`-th of the others, each with `probability`
        (drawn from the cluster's stream), and ends after `count`.

        `answer` refuses the request, or those of its partitions that match, with an error code and
        without effect. `delay_s` lets it wait so long first, `hold` until `release`. `throttle_ms`
        is told in the answer, and the connection's next request waits as long. `drop` closes the
        connection `"before"` the request has any effect or `"after"` it, without an answer. With
        none of these the request passes and is only counted. Of several faults that match a
        request, those that only count count it, and the first of the others acts.

        Raises: ValueError for a kind, a number or a combination that makes no sense.
        """
        pattern = Pattern(
            kinds=kinds,
            topic=topic,
            partition=partition,
            group=group,
            client_id=client_id,
            node_id=node_id,
        )
        turns = Turns(skip=skip, every=every, probability=probability, count=count)
        action = Action(
            answer=None if answer is None else _error_code(answer),
            delay_s=delay_s,
            throttle_ms=throttle_ms,
            drop=drop,
            hold=hold,
        )
        action.check_kinds(kinds)
        fault = Fault(self, pattern, turns, action, self._rng)
        self.installed.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Called by the fault that is removed."""
        if fault in self.installed:
            self.installed.remove(fault)

    def perform(self, fault: Fault, cluster: "Cluster", call: "Call") -> "asyncio.Future[Any]":
        """Handle a request under a fault; also when its client goes away meanwhile, as in Kafka."""
        task = asyncio.get_running_loop().create_task(fault.perform(cluster, call, fault.hold()))
        self._under_way[task] = call.context.node.node_id
        task.add_done_callback(self._under_way.pop)
        return asyncio.shield(task)

    def forget(self, node_id: int) -> None:
        """Forget what waits at a node that ends: it was in its memory."""
        for task, waits_at in list(self._under_way.items()):
            if waits_at == node_id:
                task.cancel()

    def take(self, request: LoggedRequest) -> Fault | None:
        """Count the request at all that match; return the first that does more than watch."""
        acting: Fault | None = None
        for fault in list(self.installed):
            watches = fault.action.only_watches
            if (acting is None or watches) and fault.takes(request) and not watches:
                acting = fault
        return acting


def _error_code(number: int) -> ErrorCode:
    try:
        return ErrorCode(number)
    except ValueError as error:
        raise ValueError(f"answer={number} is no error code of Kafka that is known here") from error
