"""Wherever a service crashes, the next one handles what is left, and nothing that was committed."""

import random
from functools import cache

import pytest

from tests.core.kills.steps import ITERATION, REQUESTS, Crash, Told, tell

SORTS = (*REQUESTS, ITERATION)
WAYS: dict[str, dict[str, bool]] = {
    "alone": {},
    "alone-static": {"static": True},
    "shared": {"shared": True},
    "shared-static": {"shared": True, "static": True},
}
STORIES = WAYS | {f"blocking-{name}": {**way, "blocking": True} for name, way in WAYS.items()}
SAMPLE = 4
"""Crashes of each sort in each story in CI: 128 in all."""

PARTS = 8
"""Into so many tests the steps of a story and a sort are parted."""


pytestmark = pytest.mark.usefixtures("quiet", "nobody_cleans_up")


@cache
def untouched(story: str) -> Told:
    """The story without a crash."""
    return tell(None, **STORIES[story])


def steps(story: str, sort: str) -> range:
    """The steps of one sort."""
    told = untouched(story)
    return range(1, told.iterations) if sort == ITERATION else range(told.requests)


def check(story: str, sort: str, step: int) -> None:
    """A crash there breaks nothing; what it says on failure tells the story again."""
    crash = Crash(sort, step)
    told = tell(crash, **STORIES[story])
    again = f"tell({crash}, **{STORIES[story]})"
    assert [] == told.wrong, again
    assert told.crashed, again


@pytest.mark.parametrize("story", STORIES)
def test_without_a_crash_everything_is_handled_once(story: str) -> None:
    told = untouched(story)
    assert [] == told.wrong
    assert (told.tally.records, 0) == (told.tally.handled, told.tally.duplicates)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("story", STORIES)
def test_a_crash_at_a_step_loses_nothing_and_repeats_nothing_committed(
    story: str, sort: str
) -> None:
    draw = random.Random(f"{story}/{sort}")
    for step in draw.sample(steps(story, sort), SAMPLE):
        check(story, sort, step)


@pytest.mark.full
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("story", STORIES)
def test_so_does_a_crash_at_every_step(story: str, sort: str, part: int) -> None:
    for step in steps(story, sort)[part::PARTS]:
        check(story, sort, step)


@pytest.mark.parametrize("blocking", [False, True])
def test_the_same_crash_tells_the_same_story(blocking: bool) -> None:
    crash = Crash("late", 40)
    assert tell(crash, blocking=blocking) == tell(crash, blocking=blocking)
