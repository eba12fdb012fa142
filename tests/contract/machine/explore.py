"""Looking for a program on which two brokers disagree, and making it short."""

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.contract.machine.duel import Disagreement, Program
from tests.contract.machine.programs import SUBJECTS, programs

Check = Callable[[Program], Disagreement | None]


def explore(
    check: Check,
    *,
    examples: int,
    seed_number: int,
    subjects: tuple[str, ...] = tuple(SUBJECTS),
    shortest: bool = True,
) -> None:
    """Draw programs; raises `AssertionError` that tells of the shortest disagreement found, or of
    the first.
    """

    @seed(seed_number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink) if shortest else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(programs(subjects))
    def agrees(program: Program) -> None:
        found = check(program)
        assert found is None, f"seed {seed_number}: {found}"

    agrees()
