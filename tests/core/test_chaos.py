"""Whatever goes wrong: committed is never above unfinished, and nothing is lost undeclared."""

import pytest

from tests.core.chaos import run_chaos

FEW = 5
MANY = 200


@pytest.mark.parametrize("seed", range(FEW))
def test_nothing_is_lost_and_nothing_is_committed_too_early(seed: int) -> None:
    run_chaos(seed)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(FEW, MANY))
def test_the_same_over_many_seeds(seed: int) -> None:
    run_chaos(seed)
