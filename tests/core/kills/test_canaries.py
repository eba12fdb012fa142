"""A service that breaks a promise is caught by the crashes, whichever promise it is."""

from typing import Any

import pytest

from data_analysis import offsets
from data_analysis.kafka.async_consumer import AsyncGroupMember
from tests.core.kills.steps import ITERATION, Crash, tell
from tests.core.kills.witness import STATIONS, Witness

CRASHES = (Crash("lost", 28), Crash(ITERATION, 400), Crash(ITERATION, 500))
"""Before the first commit, and in the middle of the work."""


def caught() -> str:
    """What was noticed, in any of the crashes."""
    return "; ".join(text for crash in CRASHES for text in tell(crash).wrong)


@pytest.mark.usefixtures("quiet")
def test_a_service_that_commits_what_is_in_work_loses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offsets._Progress, "next_offset", lambda self: self.position)
    assert "is not done" in caught()


@pytest.mark.usefixtures("quiet")
def test_a_service_that_begins_before_its_commit_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    committed = AsyncGroupMember.committed

    async def too_low(self: AsyncGroupMember, tp: Any) -> int | None:
        offset = await committed(self, tp)
        return None if offset is None else max(0, offset - 1)

    monkeypatch.setattr(AsyncGroupMember, "committed", too_low)
    assert "handled again below commit" in caught()


@pytest.mark.usefixtures("quiet")
def test_a_service_that_begins_after_its_commit_loses(monkeypatch: pytest.MonkeyPatch) -> None:
    committed = AsyncGroupMember.committed

    async def too_high(self: AsyncGroupMember, tp: Any) -> int | None:
        offset = await committed(self, tp)
        return None if offset is None else offset + 1

    monkeypatch.setattr(AsyncGroupMember, "committed", too_high)
    assert "never handled" in caught()


def witness(numbers: int) -> Witness:
    """A witness of so many records of one station."""
    found = Witness(begins_anew=False)
    for offset in range(numbers):
        found.place(STATIONS * offset, 0)
    return found


def test_a_window_with_a_hole_is_noticed() -> None:
    seen = witness(2)
    seen.hand(1, {"n": 0, "n_window": [None, None, 0]})
    assert [] == seen.wrong
    seen.hand(1, {"n": 3, "n_window": [None, None, 3]})
    assert ["life 1: the window of 3 is [None, None, 3], expected [None, 0, 3]"] == seen.wrong


def test_a_record_that_is_passed_over_is_noticed() -> None:
    seen = witness(3)
    seen.hand(1, {"n": 0, "n_window": [None, None, 0]})
    seen.hand(1, {"n": 6, "n_window": [None, None, 6]})
    assert ["life 1: 6 does not follow what it handled before"] == seen.wrong
