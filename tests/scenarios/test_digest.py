"""The same seed gives the same digest, in any process; another seed, or any change, another."""

import json
import logging
from collections.abc import Callable

import pytest

from station_scenarios.digest import Observables
from station_sim.kafka.batches import Batch
from tests.scenarios import members
from tests.scenarios.processes import in_two_processes
from tests.scenarios.small import STORIES

pytestmark = pytest.mark.flaky(reruns=0)  # what differs once is not determined


SEEDS = ("0", "1")


def batch(data: bytes) -> Batch:
    return Batch(data, 0, 0, 0, 0, 0, 0, 0, 0, 1)


def log_line(seen: Observables, text: str, logger: str = "data_analysis.engine") -> None:
    with seen.log_lines():
        logging.getLogger(logger).info(text)


def a_run(seen: Observables) -> None:
    seen.appended("T", 0, 0, batch(b"one"), 1.0)
    seen.appended("T", 0, 1, batch(b"two"), 2.0)
    seen.committed("g", "T", 0, 1, "m", 2.0)
    seen.note("callbacks/a", 1.0, "T", ("x", 1.5))
    seen.note("callbacks/b", 1.0, "T", ("x", 1.5))


CHANGES: dict[str, Callable[[Observables], object]] = {
    "a record": lambda seen: seen.appended("T", 0, 2, batch(b"three"), 3.0),
    "another partition": lambda seen: seen.appended("T", 1, 2, batch(b"three"), 3.0),
    "a commit": lambda seen: seen.committed("g", "T", 0, 2, "m", 3.0),
    "its metadata": lambda seen: seen.committed("g", "T", 0, 2, "n", 3.0),
    "its time": lambda seen: seen.committed("g", "T", 0, 2, "m", 3.0000001),
    "a callback": lambda seen: seen.note("callbacks/a", 3.0, "T", ("x", 1.5)),
    "another station": lambda seen: seen.note("callbacks/b", 3.0, "T", ("x", 1.5)),
    "another value": lambda seen: seen.note("callbacks/a", 3.0, "T", ("x", 1.6)),
    "a gap": lambda seen: seen.note("gaps/T/0", "gap"),
    "a log line": lambda seen: log_line(seen, "hello"),
    "another text": lambda seen: log_line(seen, "hallo"),
    "another logger": lambda seen: log_line(seen, "hello", "station_sim.streams.gateway"),
}


def test_any_change_of_one_observable_changes_the_digest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.time", lambda: 1.0)
    digests = []
    for change in (a_run, *CHANGES.values()):
        seen = Observables()
        a_run(seen)
        change(seen)
        digests.append(seen.digest())
    assert len(digests) == len(set(digests))


def test_streams_may_interleave() -> None:
    one, other = Observables(), Observables()
    one.note("a", 1)
    one.note("b", 2)
    other.note("b", 2)
    other.note("a", 1)
    assert one.digest() == other.digest()


def test_order_inside_a_stream_counts() -> None:
    one, other = Observables(), Observables()
    for first, second, seen in ((1, 2, one), (2, 1, other)):
        seen.note("a", first)
        seen.note("a", second)
    assert one.digest() != other.digest()


def test_loggers_are_as_before_afterwards() -> None:
    logger = logging.getLogger("data_analysis")
    before = (logger.level, list(logger.handlers))
    with Observables().log_lines():
        assert before != (logger.level, list(logger.handlers))
    assert before == (logger.level, list(logger.handlers))


def test_stories_are_the_same_in_another_process_and_differ_by_seed() -> None:
    one, other = in_two_processes("-m", "tests.scenarios.small_digests", *SEEDS)
    assert one == other
    lines = [line.split() for line in one.splitlines()]
    assert len(STORIES) * len(SEEDS) == len({digest for *_, digest in lines})
    assert {"held"} == {verdict for _, _, verdict, _ in lines}


def test_a_group_of_plain_members_is_the_same_in_another_process() -> None:
    one, other = in_two_processes("-m", "tests.scenarios.members", "3")
    assert one == other
    assert members.tell(4) != one.strip()


@pytest.mark.full
def test_twenty_seeds_of_every_story_are_the_same_in_another_process() -> None:
    program = "from station_sim.cli import main; main()"
    arguments = ("run", "--json", "--seeds", "0..19", "--stations", "6", "--duration", "0.5")
    one, other = (
        [json.loads(line) for line in output.splitlines()]
        for output in in_two_processes("-c", program, *arguments)
    )
    assert [outcome["digest"] for outcome in one] == [outcome["digest"] for outcome in other]
    assert {"held"} == {outcome["verdict"] for outcome in one}
    assert len(one) == len({outcome["digest"] for outcome in one})
