"""The checker is silent about an honest service and names what a dishonest one did, once."""

import pytest

from station_scenarios.checker.gaps import CutHead
from tests.scenarios.desk import CALENDAR, OUTPUT, PARAM, REAL, Desk


@pytest.fixture(params=[False, True], ids=["list", "array"])
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(arrays=request.param)


def honest_start(desk: Desk, count: int = 3) -> None:
    for power in range(count):
        desk.hand("a", desk.real("a", float(power)))


def test_an_honest_service_holds(desk: Desk) -> None:
    param = desk.param("a", "b")
    for station in "ab":
        desk.hand(station, param)
    for power in range(12):
        for station in "ab":
            desk.hand(station, desk.real(station, float(power)))
    calendar = desk.calendar("2026-03-01")
    for station in "ab":
        desk.hand(station, calendar)
    desk.commit(REAL, 24)
    desk.commit(PARAM, 1)
    assert [] == desk.verdict()


def test_late_and_repeated_records_go_to_their_place(desk: Desk) -> None:
    honest_start(desk, 4)
    desk.hand("a", desk.real("a", 9.5, at_s=1000.5))
    desk.hand("a", desk.real("a", 9.5, at_s=1000.5))
    honest_start(desk, 5)
    desk.hand("a", desk.real("a", 1.0, at_s=10.0))
    honest_start(desk, 1)
    assert [] == desk.verdict()


def test_the_calendar_comes_silently_to_a_new_station(desk: Desk) -> None:
    honest_start(desk)
    first = desk.calendar("2026-03-01")
    desk.hand("a", first)
    second = desk.calendar("2027-03-01")
    desk.hand("a", second)
    record = desk.real("b", 1.0)
    desk.take("b", first)
    desk.take("b", second)
    desk.hand("b", record)
    assert [] == desk.verdict()


def test_a_calendar_before_the_first_station_calls_nobody(desk: Desk) -> None:
    calendar = desk.calendar("2026-03-01")
    record = desk.real("a", 1.0)
    desk.take("a", calendar)
    desk.hand("a", record)
    assert [] == desk.verdict()


def test_a_calendar_that_a_known_station_is_not_told_is_missed(desk: Desk) -> None:
    honest_start(desk)
    desk.calendar("2026-03-01")
    honest_start(desk)
    assert ["handed-over"] == desk.verdict()


def test_a_restart_may_hand_over_again_what_was_not_committed(desk: Desk) -> None:
    records = [desk.real("a", float(power)) for power in range(6)]
    for record in records[:4]:
        desk.hand("a", record)
    desk.commit(REAL, 2)
    desk.restart({(REAL, 0): 2}, crashed=True)
    for record in records[2:]:
        desk.hand("a", record)
    assert [] == desk.verdict()


def test_a_restart_may_not_hand_over_what_was_committed(desk: Desk) -> None:
    records = [desk.real("a", float(power)) for power in range(6)]
    for record in records[:4]:
        desk.hand("a", record)
    desk.restart({(REAL, 0): 4})
    for record in records[3:]:
        desk.hand("a", record)
    assert ["handed-once"] == desk.verdict()


def test_skipped_records_are_not_handed_over(desk: Desk) -> None:
    honest_start(desk)
    for _ in range(3):
        desk.real("a", 7.0)
    honest_start(desk)
    assert ["handed-over"] == desk.verdict()
    assert "3 records" in desk.checker.violations.listed[0].message
    assert 3 == desk.checker.violations.listed[0].offset


def test_a_record_stored_without_a_callback_is_not_handed_over(desk: Desk) -> None:
    honest_start(desk)
    desk.take("a", desk.real("a", 7.0))
    honest_start(desk)
    assert ["handed-over"] == desk.verdict()


def test_a_record_that_nobody_acknowledged_may_be_missing(desk: Desk) -> None:
    honest_start(desk)
    desk.real("a", 7.0).offset = None
    honest_start(desk)
    assert [] == desk.verdict()


def test_a_callback_that_comes_twice_is_handed_twice(desk: Desk) -> None:
    honest_start(desk)
    given = desk.take("a", desk.real("a", 7.0))
    desk.call("a", given)
    desk.call("a", given)
    honest_start(desk)
    assert ["handed-once"] == desk.verdict()


def test_swapped_records_are_out_of_order(desk: Desk) -> None:
    honest_start(desk)
    first, second = desk.real("a", 7.0), desk.real("a", 8.0)
    desk.hand("a", second)
    desk.hand("a", first)
    honest_start(desk)
    assert ["order"] == desk.verdict()


def test_swapped_callbacks_are_out_of_order(desk: Desk) -> None:
    honest_start(desk)
    first = desk.take("a", desk.real("a", 7.0))
    desk.hand("a", desk.real("a", 8.0))
    desk.call("a", first)
    honest_start(desk)
    assert ["order"] == desk.verdict()


def test_a_wrong_newest_value_is_one_violation(desk: Desk) -> None:
    honest_start(desk)
    given = desk.take("a", desk.real("a", 7.0))
    desk.call("a", given | {"totalPower": 7.5})
    honest_start(desk, 8)
    assert ["windows"] == desk.verdict()
    assert "totalPower is 7.5, expected 7.0" in desk.checker.violations.listed[0].message


def test_windows_that_stay_wrong_are_one_violation(desk: Desk) -> None:
    honest_start(desk)
    for power in range(20):
        given = desk.take("a", desk.real("a", float(power)))
        desk.call("a", given | {"totalPower_window": given["totalPower_window"][1:]})
    assert ["windows"] == desk.verdict()


def test_wrong_data_quality_is_one_violation(desk: Desk) -> None:
    for power in range(5):
        given = desk.take("a", desk.real("a", float(power)))
        desk.call("a", given | {"_data_quality": {}})
    assert ["windows"] == desk.verdict()


def test_a_station_nobody_sent_is_a_violation(desk: Desk) -> None:
    honest_start(desk)
    desk.call("nobody", desk.take("nobody", desk.real("a", 1.0)) | {"stationId": "nobody"})
    assert ["windows", "handed-over"] == desk.verdict()


def test_a_forgotten_upload_is_found(desk: Desk) -> None:
    honest_start(desk)
    desk.call("a", desk.take("a", desk.real("a", 7.0)), upload=False)
    desk.commit(REAL, 4)
    assert ["uploaded"] == desk.verdict()


@pytest.mark.parametrize(
    "change", [{"module": "other"}, {"timestamp": "now"}, {"station_id": "b"}, {"extra": 1}]
)
def test_a_malformed_upload_is_found(desk: Desk, change: dict[str, object]) -> None:
    honest_start(desk)
    call = desk.call("a", desk.take("a", desk.real("a", 7.0)), upload=False)
    desk.upload("a", call, **change)
    assert {"uploaded"} == set(desk.verdict())


def test_a_commit_before_the_result_was_stored_is_found(desk: Desk) -> None:
    honest_start(desk)
    call = desk.call("a", desk.take("a", desk.real("a", 7.0)), upload=False)
    desk.commit(REAL, 4)
    desk.now_s += 1
    desk.upload("a", call)
    assert ["commit-behind-work"] == desk.verdict()
    assert 3 == desk.checker.violations.listed[0].offset


def test_a_crash_after_an_early_commit_is_found(desk: Desk) -> None:
    honest_start(desk)
    desk.call("a", desk.take("a", desk.real("a", 7.0)), upload=False)
    desk.commit(REAL, 4)
    desk.restart({(REAL, 0): 4}, crashed=True)
    assert ["commit-behind-work"] == desk.verdict()


def lose_the_head(desk: Desk) -> None:
    """Five records of which two are handed over; then the first four are lost."""
    records = [desk.real("a", float(power)) for power in range(5)]
    for record in records[:2]:
        desk.hand("a", record)
    desk.commit(REAL, 2)
    desk.checker.cut(CutHead(REAL, 0, 4))
    desk.restart({(REAL, 0): 2})
    desk.hand("a", records[4])


def test_a_declared_gap_is_no_violation(desk: Desk) -> None:
    lose_the_head(desk)
    desk.checker.gap("expired", REAL, 0, range(2, 4), desk.now_s)
    desk.commit(REAL, 5)
    assert [] == desk.verdict()


def test_a_swallowed_gap_is_found(desk: Desk) -> None:
    lose_the_head(desk)
    assert ["gap-declared"] == desk.verdict()


@pytest.mark.parametrize(("start", "end"), [(2, 5), (0, 4)])
def test_a_gap_that_is_not_true_is_found(desk: Desk, start: int, end: int) -> None:
    lose_the_head(desk)
    desk.checker.gap("expired", REAL, 0, range(start, end), desk.now_s)
    assert ["gap-declared"] == desk.verdict()


def test_names_of_topics_and_the_calendar_are_judged(desk: Desk) -> None:
    honest_start(desk)
    given = desk.take("a", desk.calendar("2026-03-01"))
    desk.call("a", given | {"date": ["1999-01-01"]})
    assert ["windows"] == desk.verdict()
    assert CALENDAR == desk.checker.violations.listed[0].topic
    assert OUTPUT.endswith("LOAD_PREDICTION")
