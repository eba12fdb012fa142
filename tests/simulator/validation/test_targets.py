"""Each target is met by a run that is as it should be, and missed by a change made for it."""

from collections import defaultdict
from collections.abc import Mapping

import pytest
from tests.simulator.validation.perturbations import PERTURBATIONS
from tests.simulator.validation.synthetic_run import Tables, synthetic_run, watched_run

from station_sim.validation.catalogue import SOURCES, TARGETS
from station_sim.validation.judgement import judge_run
from station_sim.validation.saved_run import SavedRun
from station_sim.validation.targets import ORDINARY, Target, Verdict, judge, judge_all

BY_ID = {target.id: target for target in TARGETS}


@pytest.fixture(scope="module")
def readers(tables_by_run: Mapping[str, Tables]) -> dict[tuple[str, str], set[str]]:
    """Which targets read a table of a run."""
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for target in TARGETS:
        watched = {name: watched_run(tables) for name, tables in tables_by_run.items()}
        judge(target, watched)
        for name, run in watched.items():
            for table in run.read:
                found[name, table].add(target.id)
    return found


def test_a_run_as_it_should_be_meets_every_target(runs: Mapping[str, SavedRun]) -> None:
    not_met = [
        f"{each.target.id}: {each.measured} {each.reason}"
        for each in judge_all(TARGETS, runs)
        if each.verdict is not Verdict.MET
    ]
    assert [] == not_met


def test_every_number_from_1_to_27_is_there_with_a_known_source() -> None:
    assert set(range(1, 28)) == {target.number for target in TARGETS}
    assert len(BY_ID) == len(TARGETS)
    keys = {key for target in TARGETS for key in target.source.split(", ")}
    assert keys <= set(SOURCES)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.id)
def test_a_change_made_for_it_misses_exactly_one_target(
    target: Target,
    tables_by_run: Mapping[str, Tables],
    runs: Mapping[str, SavedRun],
    readers: Mapping[tuple[str, str], set[str]],
) -> None:
    changes = PERTURBATIONS[target.id](tables_by_run)
    changed = dict(runs)
    affected = set()
    for name, tables in changes.items():
        changed[name] = synthetic_run(tables_by_run[name] | tables)
        affected |= {each for table in tables for each in readers[name, table]}

    outcomes = judge_all([each for each in TARGETS if each.id in affected], changed)

    assert [target.id] == [each.target.id for each in outcomes if each.verdict is not Verdict.MET]
    assert [Verdict.MISSED] == [each.verdict for each in outcomes if each.verdict != Verdict.MET]


def test_a_target_is_open_without_its_run(runs: Mapping[str, SavedRun]) -> None:
    outcome = judge(BY_ID["16b"], {ORDINARY: runs[ORDINARY]})

    assert Verdict.OPEN is outcome.verdict
    assert "needs the run holiday" == outcome.reason


def test_a_target_is_open_where_there_is_nothing_to_measure(
    tables_by_run: Mapping[str, Tables],
) -> None:
    tables = tables_by_run[ORDINARY]
    no_pv = {"stations": tables["stations"].assign(pv_kwp=0.0)}

    outcome = judge(BY_ID["22a"], {ORDINARY: synthetic_run(tables | no_pv)})

    assert Verdict.OPEN is outcome.verdict
    assert "no stations with PV" == outcome.reason


def test_a_rate_of_few_records_is_open(tables_by_run: Mapping[str, Tables]) -> None:
    tables = tables_by_run[ORDINARY]
    few = {"ledger/counts": tables["ledger/counts"].assign(due=20_000)}

    outcome = judge(BY_ID["27n"], {ORDINARY: synthetic_run(tables | few)})

    assert Verdict.OPEN is outcome.verdict


@pytest.mark.parametrize(
    "emptied",
    [
        ("sessions", "session_steps"),
        ("session_steps",),
        ("power", "gun_power", "host_power", "storage_power"),
        ("storage", "storage_power"),
        ("arrivals", "faults", "ledger/counts"),
    ],
    ids=", ".join,
)
def test_empty_tables_leave_targets_open_and_invariants_kept(
    emptied: tuple[str, ...], tables_by_run: Mapping[str, Tables]
) -> None:
    tables = tables_by_run[ORDINARY]
    run = synthetic_run(tables | {name: tables[name].iloc[:0] for name in emptied})

    judgement = judge_run(run)

    assert [] != judgement.open
    assert [] == [check.violations[0] for _, check in judgement.broken]
