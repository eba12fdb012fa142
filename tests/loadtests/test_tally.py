"""The accounts: what is processed, late, twice, missing; and what a report makes of it."""

import pytest

from station_load.plan import LoadPlan
from station_load.ranges import Ranges
from station_load.report import Account, Report, make_report
from station_load.tally import Tally
from station_load.thresholds import Threshold

PLAN = LoadPlan(stations=2, rate_per_s=10, users=1, duration_s=1)


def account_of(**acknowledged: list[list[int]]) -> Account:
    return Account(
        {station: Ranges(pairs) for station, pairs in acknowledged.items()},
        failed=0,
        unsent=0,
        first_due_s=100.0,
        last_acknowledged_s=101.0,
        error=None,
    )


def report_of(
    tally: Tally, account: Account, *thresholds: Threshold, interrupted: bool = False
) -> Report:
    return make_report(
        PLAN, tally, account, broker="test", thresholds=thresholds, interrupted=interrupted
    )


def processed(**seqs: list[int]) -> Tally:
    tally = Tally()
    for station, numbers in seqs.items():
        for seq in numbers:
            tally.add(station, seq, due_s=100.0, seen_s=100.5)
    return tally


def test_ranges_hold_what_was_added_in_any_order() -> None:
    ranges = Ranges()
    for number in (0, 1, 2, 5, 6, 4):
        ranges.add(number)
    assert [[0, 2], [5, 6], [4, 4]] == ranges.pairs
    assert 6 == len(ranges)


def test_latency_counts_from_when_the_record_was_due() -> None:
    tally = Tally()
    for number in range(100):
        tally.add("A", number, due_s=50.0, seen_s=50.0 + (number + 1) / 1000)
    assert pytest.approx(50, rel=0.01) == tally.latency_ms(50)
    assert pytest.approx(99, rel=0.01) == tally.latency_ms(99)
    assert pytest.approx(100, rel=0.01) == tally.latency_ms(100)


def test_without_results_there_is_no_latency() -> None:
    assert Tally().latency_ms(99) is None


def test_the_first_result_counts_and_the_second_is_a_duplicate() -> None:
    tally = processed(A=[0, 1])
    tally.add("A", 1, due_s=100.0, seen_s=900.0)
    assert (2, 1) == (tally.processed, tally.duplicates)
    assert pytest.approx(500, rel=0.01) == tally.latency_ms(100)


def test_what_was_acknowledged_and_has_no_result_is_lost() -> None:
    report = report_of(processed(A=[0, 2], B=[0]), account_of(A=[[0, 3]], B=[[0, 0], [7, 7]]))
    assert (6, 3, 3) == tuple(report.figures[name] for name in ("sent", "processed", "lost"))
    assert ("violated", 1) == (report.verdict, report.exit_code)
    assert "e.g. A/1, A/3, B/7" in report.notes[0]


def test_a_station_without_any_result_is_lost_as_a_whole() -> None:
    assert 10 == processed().missing({"A": Ranges([[0, 9]])})


def test_a_result_whose_sending_had_no_answer_is_not_lost() -> None:
    report = report_of(processed(A=[0, 1]), account_of(A=[[0, 0]]))
    assert (1, 2, 0) == tuple(report.figures[name] for name in ("sent", "processed", "lost"))
    assert ("held", 0) == (report.verdict, report.exit_code)


def test_an_interrupted_run_has_unfinished_records_and_no_lost_ones() -> None:
    report = report_of(processed(A=[0]), account_of(A=[[0, 4]]), interrupted=True)
    assert (0, 4) == (report.figures["lost"], report.figures["unfinished"])
    assert ("interrupted", 130) == (report.verdict, report.exit_code)


def test_rates_span_from_the_first_due_instant_to_the_last_event() -> None:
    report = report_of(processed(A=[0, 1]), account_of(A=[[0, 1]]))
    assert (2.0, 4.0) == (report.figures["sent_per_s"], report.figures["processed_per_s"])


@pytest.mark.parametrize(
    ("threshold", "held"),
    [
        (Threshold("processed_per_s", "min", 4.0), True),
        (Threshold("processed_per_s", "min", 4.1), False),
        (Threshold("max_ms", "max", 501.0), True),
        (Threshold("max_ms", "max", 499.0), False),
    ],
)
def test_a_threshold_decides_the_verdict(threshold: Threshold, held: bool) -> None:
    report = report_of(processed(A=[0, 1]), account_of(A=[[0, 1]]), threshold)
    assert ("held" if held else "violated") == report.verdict
    assert [held] == [each["held"] for each in report.thresholds]


def test_a_figure_that_could_not_be_measured_misses_its_threshold() -> None:
    threshold = Threshold("p99_ms", "max", 1000.0)
    assert "violated" == report_of(Tally(), account_of(), threshold).verdict
