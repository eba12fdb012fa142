"""The table of group states."""

import itertools

import pytest

from station_sim.kafka.group_states import GroupState, IllegalMoveError, check_move

LEGAL = {
    ("Empty", "PreparingRebalance"),
    ("PreparingRebalance", "CompletingRebalance"),
    ("PreparingRebalance", "Empty"),
    ("CompletingRebalance", "Stable"),
    ("CompletingRebalance", "PreparingRebalance"),
    ("Stable", "PreparingRebalance"),
    *((state.value, "Dead") for state in GroupState if state is not GroupState.DEAD),
}


@pytest.mark.parametrize(("state", "target"), list(itertools.product(GroupState, repeat=2)))
def test_every_move_is_legal_or_raises(state: GroupState, target: GroupState) -> None:
    if (state.value, target.value) in LEGAL:
        check_move("g", state, target)
        return
    with pytest.raises(IllegalMoveError, match=f"from {state.value} to {target.value}"):
        check_move("g", state, target)
