"""The synthetic runs, made once for all tests of this folder."""

import pytest
from tests.simulator.validation.synthetic_run import Tables, make_tables, synthetic_run

from station_sim.validation.saved_run import SavedRun
from station_sim.validation.special_targets import BEFORE_HOLIDAY, COLD, HOLIDAY, WARM, YEAR
from station_sim.validation.targets import ORDINARY


@pytest.fixture(scope="session")
def tables_by_run() -> dict[str, Tables]:
    """Tables of the ordinary run and of every special one; nobody may change them in place."""
    ordinary = make_tables()
    corridor = {"site_types": ("corridor",), "size": 0.86, "only_sessions": True}
    return {
        ORDINARY: ordinary,
        HOLIDAY: make_tables(rates={"corridor": 13.3}, **corridor),
        BEFORE_HOLIDAY: make_tables(rates={"corridor": 5.2}, **corridor),
        YEAR: ordinary,
        WARM: ordinary,
        COLD: make_tables(warmth=0.62, only_sessions=True),
    }


@pytest.fixture(scope="session")
def runs(tables_by_run: dict[str, Tables]) -> dict[str, SavedRun]:
    """The same as runs."""
    return {name: synthetic_run(tables) for name, tables in tables_by_run.items()}
