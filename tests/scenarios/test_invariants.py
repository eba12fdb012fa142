"""For every invariant, a service that breaks it makes exactly that one fire; an honest one none."""

from typing import Any

import pytest

from station_scenarios.checker.violations import INVARIANTS
from station_scenarios.outcome import Verdict
from tests.scenarios import broken_services as broken
from tests.scenarios.plain_service import PlainService
from tests.scenarios.small import STORIES, run_small

STEADY, LATE, GAP = "steady-day", "late-batch", "offset-out-of-range"

BROKEN = [
    ("handed-over", broken.SkipsACallback, STEADY),
    ("handed-over", broken.DropsARecord, STEADY),
    ("handed-once", broken.HandsOverTwice, STEADY),
    ("handed-once", broken.RewindsAtStart, "restart"),
    ("order", broken.ReordersAStation, STEADY),
    ("windows", broken.GivesAWrongWindow, STEADY),
    ("windows", broken.GivesAnotherStationsValue, STEADY),
    ("windows", broken.KeepsArrivalOrder, LATE),
    ("commit-behind-work", broken.CommitsBeforeWork, STEADY),
    ("uploaded", broken.ForgetsAnUpload, STEADY),
    ("uploaded", broken.UploadsUnderNoKey, STEADY),
    ("gap-declared", broken.SwallowsTheGap, GAP),
    ("gap-declared", broken.DeclaresTooMuch, GAP),
    ("caught-up", broken.NeverCommits, STEADY),
]


@pytest.mark.parametrize("story", STORIES)
def test_an_honest_service_holds(story: str) -> None:
    outcome = run_small(story, PlainService)
    assert [] == outcome.violations
    assert outcome.error is None
    assert Verdict.HELD == outcome.verdict
    assert outcome.counts["callbacks"] == outcome.counts["uploads"] > 50


@pytest.mark.parametrize(
    ("invariant", "service", "story"), BROKEN, ids=[service.__name__ for _, service, _ in BROKEN]
)
def test_a_broken_service_breaks_exactly_its_invariant(
    invariant: str, service: Any, story: str
) -> None:
    outcome = run_small(story, service)
    assert outcome.error is None
    assert Verdict.VIOLATED == outcome.verdict
    assert {invariant} == {violation.invariant for violation in outcome.violations}


def test_every_invariant_has_a_service_that_breaks_it() -> None:
    assert set(INVARIANTS) == {invariant for invariant, _, _ in BROKEN}


def test_one_fault_is_one_violation() -> None:
    for service in (broken.SkipsACallback, broken.HandsOverTwice, broken.ReordersAStation):
        assert 1 == len(run_small(STEADY, service).violations), service
