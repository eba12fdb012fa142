"""The suite notices a broken double: a handler broken on purpose makes a case of its kind fail.

All run on `virtual`, where a case that waits in vain costs nothing.
"""

import pytest

from station_sim.kafka.requests.registry import KINDS, KINDS_BY_NAME
from tests.contract.breakages import BREAKAGES, Breakage
from tests.contract.clients.kinds import WIRE
from tests.contract.registry import Case, all_cases
from tests.contract.worlds import run_in_virtual_world

CASES = all_cases()


def passes(case: Case) -> bool:
    try:
        run_in_virtual_world(case, case.clients[0])
    except Exception:
        return False
    return True


def is_slow(case: Case) -> bool:
    """Whether a client is asked, which may try again for long what a bare request tells at once."""
    return WIRE not in case.clients


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda found: f"{found.kind} {found.says}")
def test_a_broken_double_makes_a_case_fail(
    breakage: Breakage, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = KINDS_BY_NAME[breakage.kind]
    broken = right.handled_by(breakage.breaking(right.handle))
    monkeypatch.setitem(KINDS, right.api_key, broken)
    judges = [case for case in CASES if breakage.kind in case.requests]
    assert any(not passes(case) for case in sorted(judges, key=is_slow))


def test_every_request_kind_is_broken_somehow() -> None:
    assert set(KINDS_BY_NAME) == {breakage.kind for breakage in BREAKAGES}


def test_every_request_kind_has_cases() -> None:
    assert set(KINDS_BY_NAME) == {kind for case in CASES for kind in case.requests}
