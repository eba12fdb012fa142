"""Groups of which nothing is written: when they show, and how they are lost."""

from collections.abc import Callable

import pytest
from tests.simulator.kafka.group_bench import GROUP, Bench

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.groups import Groups

LONG = "x" * 5_000
OFFSETS_PARTITIONS = 2
BESIDE, APART = "i", "h"
"""Groups in the partition of `GROUP`, and in the other."""


def commit(groups: Groups, group: str, metadata: str = "") -> ErrorCode:
    return groups.commit(group, "t", 0, 1, leader_epoch=-1, metadata=metadata)


def make_without_records() -> Groups:
    groups = Bench(offsets_topic_num_partitions=OFFSETS_PARTITIONS).groups
    assert groups.partition_for(BESIDE) == groups.partition_for(GROUP)
    assert groups.partition_for(APART) != groups.partition_for(GROUP)
    assert commit(groups, GROUP, LONG) is ErrorCode.OFFSET_METADATA_TOO_LARGE
    return groups


def shows(groups: Groups) -> bool:
    assert (groups.get(GROUP) is not None) == (GROUP in {each.group_id for each in groups})
    return groups.get(GROUP) is not None


def test_it_is_there_for_who_changes_it_and_not_shown() -> None:
    groups = make_without_records()
    assert not shows(groups)
    assert groups.ids() == [GROUP]
    assert groups.check_delete_offsets(GROUP) is ErrorCode.NONE
    assert groups.delete(GROUP) is ErrorCode.NONE
    assert groups.delete(GROUP) is ErrorCode.GROUP_ID_NOT_FOUND


@pytest.mark.parametrize(("group", "expected"), [(GROUP, True), (BESIDE, True), (APART, False)])
def test_a_write_to_its_partition_shows_it(group: str, expected: bool) -> None:
    groups = make_without_records()
    assert commit(groups, group) is ErrorCode.NONE
    assert shows(groups) == expected


@pytest.mark.parametrize("commits", [True, False])
def test_the_end_of_a_transaction_is_a_write(commits: bool) -> None:
    groups = make_without_records()
    groups.end_transaction(1, groups.partition_for(APART), commit=commits)
    assert not shows(groups)
    groups.end_transaction(1, groups.partition_for(GROUP), commit=commits)
    assert shows(groups)


@pytest.mark.parametrize(
    "lose", [lambda groups: groups.resign([GROUP]), lambda groups: groups.close()]
)
def test_it_is_lost_with_its_coordinator(lose: Callable[[Groups], None]) -> None:
    groups = make_without_records()
    assert commit(groups, BESIDE) is ErrorCode.NONE
    assert shows(groups)
    lose(groups)
    groups.take_over([GROUP])
    assert [BESIDE] == groups.ids()


def test_what_was_written_is_not_lost() -> None:
    groups = make_without_records()
    assert commit(groups, GROUP) is ErrorCode.NONE
    assert commit(groups, GROUP, LONG) is ErrorCode.OFFSET_METADATA_TOO_LARGE
    groups.close()
    assert shows(groups)


def test_all_are_cleared() -> None:
    groups = make_without_records()
    groups.clear()
    assert groups.ids() == []
