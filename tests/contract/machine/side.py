"""One broker of two: connections to it, what is known of it, and requests it has not answered yet.

What is asked is in `steps/`; how two sides are compared, in `duel.py`.
"""

import asyncio
from typing import Any

from kafka.protocol.metadata import FindCoordinatorRequest

from tests.contract.beside import in_same_part
from tests.contract.connection import Connection
from tests.contract.machine.answers import comparable, error_codes
from tests.contract.machine.memory import Memory
from tests.contract.machine.steps.step import MAIN, Step
from tests.contract.machine.steps.topics import (
    BY_ID_SINCE_METADATA,
    ChangeSetting,
    CreateTopic,
    ShowSettings,
    ShowTopics,
)
from tests.contract.machine.steps.transactions import ShowTransactions
from tests.contract.member import commit
from tests.contract.waiting import eventually

COORDINATOR_AWAY = {14, 15, 16}
UNDER_WAY = 51
"""A transaction is ending: never the last word."""

NOTHING_SENT = "nothing sent"
HUNG_UP = "hung up"
TOPICS = (0, 1, 2)
GROUPS = (0, 1)
BARRIER = 9
"""A topic whose settings change only to see that the broker knows of all changes before."""

SETTING = "flush.messages"


class Side:
    """One broker and one program's names at it."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.memory = Memory(prefix)
        self.waiting: dict[str, tuple[Step, asyncio.Task[Any]]] = {}
        self._bootstrap = bootstrap
        self._lanes: dict[str, Connection] = {}
        self._changes = 0

    async def set_up(self, prelude: tuple[Step, ...]) -> None:
        """Make what every program finds; the first time, the topics of coordinators too."""
        for kind, name in (0, self.memory.group(0)), (1, self.memory.prefix):
            await self._find_coordinator(kind, name)
        await self._ask(CreateTopic(version=4, topic=BARRIER))
        for step in prelude:
            await self._ask(step)
        await self._catch_up()

    async def take(self, step: Step) -> Any:
        """Send a step that is answered at once; returns the answer, comparable."""
        answer = await self._ask(step)
        if not isinstance(answer, str):
            step.learn(self.memory, answer)
        if step.changes_metadata and not getattr(step, "only_check", False):
            await self._catch_up()
        if isinstance(step, ShowTopics) and step.makes_topics:
            await eventually(lambda: self._all_there(step.topics), what="topics made on demand")
            await self._catch_up()
        if step.ends_transactions:
            await eventually(self._has_ended, what="end of the transactions")
        return self.compare(answer)

    def compare(self, answer: Any) -> Any:
        """An answer as it is compared."""
        return answer if isinstance(answer, str) else comparable(answer, self.memory)

    def send(self, step: Step) -> bool:
        """Send a step that may be left waiting; False if its lane waits already."""
        if step.lane in self.waiting:
            return False
        self.waiting[step.lane] = step, asyncio.create_task(self._ask(step))
        return True

    async def see_written(self) -> None:
        """Have the coordinator show what it has begun to write of the groups, and groups that it
        has made and not written.

        It writes in order, answers a commit when that is written, and shows what was there then.
        """
        wire, barrier = await self._connection(MAIN), self.memory.topic(BARRIER)
        for group in GROUPS:
            await commit(wire, in_same_part(self.memory.group(group)), barrier, 0)

    async def close(self) -> None:
        """Close all connections; what waits is not answered any more."""
        tasks = [task for _, task in self.waiting.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in self._lanes.values():
            await connection.close()

    async def _ask(self, step: Step) -> Any:
        """Ask until nothing is under way at the broker; returns the last answer."""
        found = []

        async def answered() -> bool:
            found.append(await self._ask_once(step))
            codes = set(error_codes(self.compare(found[-1])))
            return UNDER_WAY not in codes and not codes & COORDINATOR_AWAY

        await eventually(answered, what=lambda: f"last word on {step}: {found[-1]}")
        return found[-1]

    async def _ask_once(self, step: Step) -> Any:
        request = step.request(self.memory)
        if request is None:
            return NOTHING_SENT
        connection = await self._connection(step.lane)
        try:
            answer = await connection.ask(request, step.version)
            if answer is None:
                await connection.ask(ShowTransactions(version=0).request(self.memory), 0)
            return answer
        except (asyncio.IncompleteReadError, ConnectionError):
            await self._lanes.pop(step.lane).close()
            return HUNG_UP

    async def _connection(self, lane: str) -> Connection:
        if lane not in self._lanes:
            self._lanes[lane] = await Connection.open(self._bootstrap)
        return self._lanes[lane]

    async def _find_coordinator(self, kind: int, name: str) -> None:
        wire = await self._connection(MAIN)

        async def found() -> bool:
            request = FindCoordinatorRequest(key=name, key_type=kind)
            return bool((await wire.ask(request, 1)).error_code == 0)

        await eventually(found, what="coordinator")

    async def _has_ended(self) -> bool:
        answer = await self._ask(ShowTransactions(version=0))
        return not any(
            found.transaction_state.startswith("Prepare") for found in answer.transaction_states
        )

    async def _catch_up(self) -> None:
        """Wait until the broker has taken in all changes of metadata.

        It takes them in bundles and shows a setting before it obeys the bundle: so the first change
        to be seen says that those before it are in its bundle or earlier, the second that the
        bundle of the first was obeyed.
        """
        for _ in range(2):
            self._changes += 1
            value = str(self._changes)
            await self._ask(
                ChangeSetting(version=1, topic=BARRIER, setting=SETTING, operation=0, value=value)
            )
            await eventually(lambda value=value: self._shows(value), what="change of a setting")
        look = ShowTopics(version=BY_ID_SINCE_METADATA, topics=TOPICS)
        look.learn(self.memory, await self._ask(look))

    async def _all_there(self, topics: tuple[int, ...]) -> bool:
        answer = await self._ask(ShowTopics(version=BY_ID_SINCE_METADATA, topics=topics))
        return all(found.error_code == 0 for found in answer.topics)

    async def _shows(self, value: str) -> bool:
        answer = await self._ask(ShowSettings(version=4, topic=BARRIER, settings=(SETTING,)))
        return [value] == [each.value for each in answer.results[0].configs]
