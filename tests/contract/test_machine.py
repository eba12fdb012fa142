"""Random programs on the simulated and the real Kafka: no disagreement, and machines that would see
one.
"""

from collections.abc import Callable, Iterator

import pytest

from tests.contract.breakages import BREAKAGES, Breakage
from tests.contract.machine.duel import Program
from tests.contract.machine.explore import explore
from tests.contract.machine.found import FOUND
from tests.contract.machine.programs import SUBJECTS
from tests.contract.machine.reached import WORTH_REACHING
from tests.contract.machine.worlds import RealDuel, run_on_two_simulated
from tests.kafka_at_hand import require_kafka

SEED = 20_261
PROGRAMS_IN_CI = 10
"""Of each subject; `--programs` says how many in a full run."""

SEEN: tuple[tuple[str, str, str], ...] = (
    ("topics", "CreateTopics", "forgets settings"),
    ("logs", "Produce", "tells offset 0"),
    ("logs", "Produce", "hides refusals"),
    ("logs", "ListOffsets", "hides errors"),
    ("logs", "DeleteRecords", "cuts nothing"),
    ("topics", "CreatePartitions", "only checks"),
    ("transactions", "EndTxn", "commits what is aborted"),
    ("transactions", "AddPartitionsToTxn", "hides errors"),
    ("transactional offsets", "TxnOffsetCommit", "fences nobody"),
    ("groups", "JoinGroup", "stays at generation 1"),
    ("groups", "SyncGroup", "gives nothing"),
    ("groups", "Heartbeat", "never tells"),
    ("groups", "LeaveGroup", "lets nobody go"),
    ("offsets", "OffsetCommit", "drops metadata"),
    ("offsets", "OffsetDelete", "deletes nothing"),
)
"""A subject, and a broken double that its programs have to find."""

BROKEN = {(breakage.kind, breakage.says): breakage for breakage in BREAKAGES}


@pytest.fixture
def real() -> Iterator[RealDuel]:
    require_kafka("jvm")
    duel = RealDuel()
    yield duel
    duel.close()


@pytest.mark.kafka
def test_the_simulated_kafka_agrees_with_the_real_one(
    real: RealDuel, record_property: Callable[[str, object], None]
) -> None:
    for program in FOUND:
        assert real.run(program) is None
    for subject in SUBJECTS:
        explore(real.run, examples=PROGRAMS_IN_CI, seed_number=SEED, subjects=(subject,))
    missing = real.tally.missing(WORTH_REACHING)
    record_property("machine", [*real.tally.lines(), f"not reached: {missing}"])


@pytest.mark.full
@pytest.mark.kafka
def test_they_agree_on_many_programs_that_reach_every_error(
    real: RealDuel, record_property: Callable[[str, object], None], pytestconfig: pytest.Config
) -> None:
    programs = pytestconfig.getoption("--programs")
    try:
        for subject in SUBJECTS:
            explore(real.run, examples=programs, seed_number=SEED + 1, subjects=(subject,))
    finally:
        record_property("machine", real.tally.lines())
    assert real.tally.missing(WORTH_REACHING) == []


def test_one_simulated_kafka_agrees_with_another() -> None:
    explore(run_on_two_simulated, examples=20, seed_number=SEED)


@pytest.mark.parametrize("program", FOUND)
def test_programs_run_in_virtual_time(program: Program) -> None:
    assert run_on_two_simulated(program) is None


@pytest.mark.parametrize(("subject", "kind", "says"), SEEN)
def test_a_broken_double_is_found(subject: str, kind: str, says: str) -> None:
    breakage: Breakage = BROKEN[kind, says]
    with pytest.raises(AssertionError, match=r"to be pasted into"):
        explore(
            lambda program: run_on_two_simulated(program, breakage),
            examples=150,
            seed_number=SEED,
            subjects=(subject,),
            shortest=False,
        )
