"""The project's own service, made wrong from outside, is found out: the checker does fire."""

from collections.abc import Callable
from typing import Any

import pytest

from data_analysis import AsyncDataAnalysisService
from station_scenarios.outcome import Verdict
from tests.scenarios.small import STORIES, run_small

Given = dict[str, Any]
TENTH = 10


class Meddled(AsyncDataAnalysisService):
    """The real service with somebody between it and the story's callback."""

    async def start(self, callback: Any = None, *handlers: Any, **named: Any) -> None:
        counted = 0

        def meddled(station: str, given: Given) -> Any:
            nonlocal counted
            counted += 1
            return self.meddle(counted, lambda changed: callback(station, changed), given)

        await super().start(meddled, *handlers, **named)

    def meddle(self, number: int, call: Callable[[Given], Any], given: Given) -> Any:
        raise NotImplementedError


class SwallowsOne(Meddled):
    """The story never hears of one callback."""

    def meddle(self, number: int, call: Callable[[Given], Any], given: Given) -> Any:
        return {"call": -1} if number == TENTH else call(given)


class CallsTwice(Meddled):
    """The story hears of one callback twice."""

    def meddle(self, number: int, call: Callable[[Given], Any], given: Given) -> Any:
        if number == TENTH:
            call(given)
        return call(given)


class ChangesAValue(Meddled):
    """One input is changed on its way."""

    def meddle(self, number: int, call: Callable[[Given], Any], given: Given) -> Any:
        return call(given | {"gunNum": -1} if number == TENTH else given)


@pytest.mark.parametrize("story", STORIES)
def test_the_service_holds(story: str) -> None:
    outcome = run_small(story)
    assert [] == outcome.violations
    assert outcome.error is None
    assert Verdict.HELD == outcome.verdict


@pytest.mark.parametrize(
    ("service", "invariants"),
    [
        (SwallowsOne, {"handed-over", "uploaded"}),
        (CallsTwice, {"handed-once", "uploaded"}),
        (ChangesAValue, {"windows"}),
    ],
)
def test_a_meddled_service_is_found_out(service: type[Meddled], invariants: set[str]) -> None:
    outcome = run_small("steady-day", service)
    assert Verdict.VIOLATED == outcome.verdict
    assert invariants == {violation.invariant for violation in outcome.violations}
