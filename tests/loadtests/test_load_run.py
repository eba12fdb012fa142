"""Whole runs: records through a broker and a service, measured, judged, cleaned up."""

import pytest

from tests.kafka_at_hand import require_kafka
from tests.loadtests.load_command import SERVICES, SHORT, load, load_embedded, under_load

ALL_SENT = 900
"""3 s at 300 records per second."""


def test_every_record_of_a_sound_service_is_processed() -> None:
    outcome = load_embedded("PlainService", "--min-processed-per-s", "50", "--max-p99-ms", "30000")
    assert (0, "") == (outcome.exit_code, outcome.errors)
    report = outcome.report
    assert "held" == report["verdict"]
    assert (ALL_SENT, ALL_SENT) == (report["sent"], report["processed"])
    assert (0, 0, 0, 0) == tuple(
        report[name] for name in ("lost", "duplicates", "failed", "unfinished")
    )
    assert 0 < report["sent_p50_ms"] <= report["sent_p99_ms"]
    assert 0 < report["p50_ms"] <= report["p99_ms"] <= report["max_ms"]
    assert [True, True] == [each["held"] for each in report["thresholds"]]


def test_the_library_under_load_loses_nothing() -> None:
    outcome = load(*SHORT, "--broker", "embedded", "--json")
    assert (0, "") == (outcome.exit_code, outcome.errors)
    assert (ALL_SENT, 0) == (outcome.report["processed"], outcome.report["lost"])


def test_a_service_that_lives_through_stories_takes_load() -> None:
    factory = "tests.scenarios.plain_service:PlainService"
    outcome = load(*SHORT, "--broker", "embedded", "--service", factory, "--json")
    assert (0, "") == (outcome.exit_code, outcome.errors)
    assert (ALL_SENT, 0) == (outcome.report["processed"], outcome.report["lost"])


def test_a_model_may_be_a_coroutine() -> None:
    outcome = load(
        *SHORT, "--broker", "embedded", "--callback", f"{SERVICES}:power_later", "--json"
    )
    assert (0, "") == (outcome.exit_code, outcome.errors)
    assert (ALL_SENT, 0) == (outcome.report["processed"], outcome.report["lost"])


@pytest.mark.kafka
@pytest.mark.docker
def test_the_library_loses_nothing_on_apache_kafka_in_docker() -> None:
    require_kafka("docker")
    outcome = load(*SHORT, "--broker", "docker", "--json")
    assert (0, "") == (outcome.exit_code, outcome.errors)
    assert (ALL_SENT, 0) == (outcome.report["processed"], outcome.report["lost"])


def test_a_service_that_loses_records_is_found_out() -> None:
    outcome = load_embedded("LossyService", "--drain", "2")
    assert 1 == outcome.exit_code
    report = outcome.report
    assert "violated" == report["verdict"]
    # 20 stations with 45 records each, of which numbers 0, 10, 20, 30 and 40 are swallowed.
    assert (100, ALL_SENT - 100) == (report["lost"], report["processed"])
    assert any(note.startswith("lost 100 records: ") for note in report["notes"])


def test_a_second_result_is_a_duplicate_and_no_loss() -> None:
    outcome = load_embedded("DoublingService")
    assert 0 == outcome.exit_code
    assert ALL_SENT == outcome.report["processed"]
    assert 0 < outcome.report["duplicates"] <= ALL_SENT


def test_a_missed_threshold_fails_the_run() -> None:
    outcome = load_embedded("PlainService", "--min-processed-per-s", "100000")
    assert (1, "violated") == (outcome.exit_code, outcome.report["verdict"])
    (judged,) = outcome.report["thresholds"]
    assert ("min-processed-per-s", 100_000, False) == (
        judged["name"],
        judged["limit"],
        judged["held"],
    )


def test_the_table_names_the_figures() -> None:
    outcome = load(*SHORT, "--broker", "embedded", *under_load("PlainService"))
    assert 0 == outcome.exit_code
    for words in ("processed", "end to end", "verdict: held"):
        assert words in outcome.output
