"""Two brokers, one program: each step is sent to both, and the answers have to be equal.

A request that may be left waiting (a join, a sync, a long fetch) is known to wait when neither
broker has answered it for a while; as soon as one has, the other must. So the order in which
brokers see requests is the program's.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

from tests.contract.machine.answers import differences
from tests.contract.machine.side import NOTHING_SENT, Side
from tests.contract.machine.steps.groups import ShowGroups
from tests.contract.machine.steps.logs import Fetch, LookUp
from tests.contract.machine.steps.offsets import ShowCommitted
from tests.contract.machine.steps.step import MAIN, Step
from tests.contract.machine.steps.topics import CreateTopic, ShowSettings
from tests.contract.machine.steps.transactions import ShowProducers, ShowTransactions
from tests.contract.machine.tally import Tally

Program = tuple[Step, ...]
Found = TypeVar("Found")

ANSWER_DEADLINE_S = 5.0
"""Within this a broker must answer what the other has answered."""

PRELUDE: Program = (
    CreateTopic(version=4, topic=0, partitions=1, config=(("retention.ms", "-1"),)),
    CreateTopic(version=4, topic=1, partitions=2, config=(("retention.ms", "-1"),)),
)
"""Two topics are there from the start, which no program has to make."""

WHERE = ((0, 0), (1, 0), (1, 1), (2, 0))

LAST_LOOKS: Program = (
    ShowGroups(version=5, groups=(0, 1)),
    ShowCommitted(version=7, group=0),
    ShowCommitted(version=7, group=1),
    ShowTransactions(version=0),
    ShowSettings(version=4, topic=0),
    *(
        look
        for topic, partition in WHERE
        for look in (
            Fetch(version=11, topic=topic, partition=partition, offset=0),
            LookUp(version=7, topic=topic, partition=partition, at=-2),
            ShowProducers(version=0, topic=topic, partition=partition),
        )
    ),
)
"""What a program has left behind is compared in the end."""


@dataclass(frozen=True)
class Disagreement:
    """Where two brokers part: after which step, and what each said."""

    program: Program
    step: Step | None
    answers: tuple[Any, Any]
    names: tuple[str, str]

    def __str__(self) -> str:
        left, right = self.answers
        return "\n".join(
            [
                f"after {self.step}",
                f"{self.names[0]} or {self.names[1]} answers:",
                *(f"    {line}" for line in differences(left, right)),
                "program, to be pasted into tests/contract/machine/found.py:",
                "    (",
                *(f"        {step!r}," for step in self.program),
                "    ),",
            ]
        )


class Duel:
    """Two brokers by name and address; programs are run one after the other."""

    def __init__(
        self, brokers: Sequence[tuple[str, str]], prefix: str, *, patience_s: float
    ) -> None:
        self._brokers = brokers
        self._prefix = prefix
        self._patience_s = patience_s
        self._numbers = count()
        self.tally = Tally()

    async def run(self, program: Program) -> Disagreement | None:
        """Run a program; what they disagree on must show again when there is more time to wait."""
        found = await self._run_once(program, self._patience_s)
        self.tally.programs += 1
        if found is not None:
            found, before = await self._run_once(program, 10 * self._patience_s), found
            if found is None:
                self.tally.unsure.append(str(before))
        return found

    async def _run_once(self, program: Program, patience_s: float) -> Disagreement | None:
        prefix = f"{self._prefix}-{next(self._numbers)}"
        sides = [Side(address, prefix) for _, address in self._brokers]
        try:
            await both(side.set_up(PRELUDE) for side in sides)
            for step in (*program, *LAST_LOOKS):
                left, right = await self._take(step, sides, patience_s)
                if left != right:
                    names = self._brokers[0][0], self._brokers[1][0]
                    return Disagreement(program, step, (left, right), names)
                self.tally.steps += 1
                self.tally.add(step, left.get(MAIN, left.get(step.lane)))
        finally:
            await both(side.close() for side in sides)
        return None

    async def _take(
        self, step: Step, sides: Sequence[Side], patience_s: float
    ) -> list[dict[str, Any]]:
        """Send a step to both; returns each one's answers by lane, with those of requests that
        had waited until now.
        """
        answers: list[dict[str, Any]] = [{}, {}]
        if step.lane == MAIN:
            found = await both(side.take(step) for side in sides)
            for side_answers, answer in zip(answers, found, strict=True):
                side_answers[MAIN] = answer
        else:
            for side, side_answers in zip(sides, answers, strict=True):
                if not side.send(step):
                    side_answers[step.lane] = NOTHING_SENT
        for side_answers, woken in zip(answers, await gather(sides, patience_s), strict=True):
            side_answers.update(woken)
        if step.writes_behind_its_answer:
            await both(side.see_written() for side in sides)
        return answers


async def both(awaitables: Iterable[Awaitable[Found]]) -> list[Found]:
    """Await for both sides at once."""
    return await asyncio.gather(*awaitables)


async def gather(sides: Sequence[Side], patience_s: float) -> list[dict[str, Any]]:
    """Answers to what had waited: when one side has one, the other gets until the deadline.

    Returns each side's by lane when nothing more came for as long as patience lasts. None is read
    before all are there: one may name a member whose own answer comes a moment later.
    """
    taken: list[dict[str, Any]] = [{}, {}]
    while any(side.waiting for side in sides):
        tasks = [task for side in sides for _, task in side.waiting.values()]
        done, _ = await asyncio.wait(tasks, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            break
        lanes = {lane for side in sides for lane, (_, t) in side.waiting.items() if t.done()}
        due = [side.waiting[lane][1] for side in sides for lane in lanes if lane in side.waiting]
        await asyncio.wait(due, timeout=ANSWER_DEADLINE_S)
        for side, side_taken in zip(sides, taken, strict=True):
            side_taken.update(take_answers(side))
    return [
        {lane: side.compare(answer) for lane, answer in side_taken.items()}
        for side, side_taken in zip(sides, taken, strict=True)
    ]


def take_answers(side: Side) -> dict[str, Any]:
    """The answers that came, by lane; what they tell of ids is learned."""
    came = {lane: found for lane, found in sorted(side.waiting.items()) if found[1].done()}
    for lane, (step, task) in came.items():
        del side.waiting[lane]
        if not isinstance(task.result(), str):
            step.learn(side.memory, task.result())
    return {lane: task.result() for lane, (_, task) in came.items()}
