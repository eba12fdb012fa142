"""Which assignors all members of a group have in common, whoever came, went or changed its mind."""

from hypothesis import given
from hypothesis import strategies as st
from tests.simulator.kafka.group_bench import ManualScheduler

from station_sim.kafka.group_messages import Join
from station_sim.kafka.group_timers import Deadline
from station_sim.kafka.members import Member, Members

NAMES = ("range", "roundrobin", "sticky")

supported = st.lists(st.sampled_from(NAMES), min_size=1, unique=True).map(tuple)
steps = st.lists(st.tuples(st.integers(0, 3), st.none() | supported), max_size=20)


def join(names: tuple[str, ...]) -> Join:
    """A join that supports these assignors."""
    return Join(
        member_id="",
        client_id="c",
        client_host="/h",
        session_timeout_ms=10_000,
        rebalance_timeout_ms=30_000,
        protocol_type="consumer",
        protocols=tuple((name, b"") for name in names),
    )


@given(steps=steps, wished=supported)
def test_a_join_is_supported_if_all_members_support_one_of_its_assignors(
    steps: list[tuple[int, tuple[str, ...] | None]], wished: tuple[str, ...]
) -> None:
    members = Members()
    there: dict[str, tuple[str, ...]] = {}
    for number, names in steps:
        member_id = f"m{number}"
        if names is None:
            members.remove(member_id)
            there.pop(member_id, None)
            continue
        if member_id in members:
            members.rejoin(members[member_id], join(names))
        else:
            session = Deadline(ManualScheduler(), lambda: None)
            members.add(Member(member_id, join(names), session))
        there[member_id] = names
        expected = not there or any(all(name in each for each in there.values()) for name in wished)
        assert expected == members.support(join(wished))
