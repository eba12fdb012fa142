"""A seed decides a story to its last detail, in any process; each seed decides another one."""

from collections import Counter

import pytest
from tests.scenarios.processes import in_two_processes
from tests.simulator.seeds.digests import STORIES
from tests.simulator.seeds.plan import Plan, Seen

pytestmark = pytest.mark.flaky(reruns=0)  # what differs once is not determined


SEEDS = 10

SEEDS_OF_FULL = 200


def agree(story: str, first: int, last: int) -> None:
    """Live through seeds in two processes, side by side, with hashes in different orders."""
    one, other = (
        output.splitlines()
        for output in in_two_processes(
            "-m", "tests.simulator.seeds.digests", story, str(first), str(last)
        )
    )
    assert one == other
    digests = {line.split()[-1] for line in one}
    assert last - first + 1 == len(digests), "every seed differs from all others"


@pytest.mark.parametrize("story", STORIES)
def test_ten_seeds_in_two_processes(story: str) -> None:
    agree(story, 0, SEEDS - 1)


@pytest.mark.full
@pytest.mark.parametrize("story", STORIES)
def test_two_hundred_seeds_in_two_processes(story: str) -> None:
    agree(story, 0, SEEDS_OF_FULL - 1)


@pytest.mark.parametrize("story", STORIES)
def test_a_seed_decides_it_within_a_process_too(story: str) -> None:
    assert STORIES[story](1).digest() == STORIES[story](1).digest()


def the_broker_was_asked(seen: Seen) -> Counter[str]:
    return Counter(kind for _at_s, kind, *_more in seen.streams["broker"])


@pytest.mark.parametrize("story", STORIES)
def test_the_stories_have_rebalances_transactions_and_trouble(story: str) -> None:
    """Else their agreement would say little."""
    seen = STORIES[story](0)
    asked = the_broker_was_asked(seen)
    assert 2 * 3 <= asked["JoinGroup"], "two rebalances of a group of three"
    commits = Plan.of(0).aborts.count(False)
    assert 0 < commits <= asked["EndTxn"], "a client need not tell of an abort before it sent"
    assert {f"member {number}" for number in range(3)} < set(seen.streams)
    assert 3 == asked["LeaveGroup"]


def test_any_difference_is_another_digest() -> None:
    one, other = Seen(), Seen()
    one.note("a", 1.0, "x")
    other.note("a", 1.0, "x")
    assert one.digest() == other.digest()
    other.note("a", 2.0, "x")
    assert one.digest() != other.digest()
