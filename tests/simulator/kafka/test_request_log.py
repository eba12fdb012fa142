"""The request log keeps the newest requests, and not more than its bounds."""

from station_sim.kafka.request_log import (
    REMEMBERED_PARTITIONS,
    REMEMBERED_REQUESTS,
    LoggedRequest,
    RequestLog,
)


def logged(at_ms: int, partitions: int) -> LoggedRequest:
    named = tuple(("T", index) for index in range(partitions))
    return LoggedRequest(at_ms, "Fetch", 12, "client", named)


def test_the_newest_requests_are_kept() -> None:
    log = RequestLog()
    for at_ms in range(REMEMBERED_REQUESTS + 5):
        log.add(logged(at_ms, 0))
    assert REMEMBERED_REQUESTS == len(log)
    assert REMEMBERED_REQUESTS + 5 == log.counts["Fetch"]
    assert 5 == next(iter(log)).at_ms


def test_requests_that_name_very_many_partitions_crowd_out_old_ones() -> None:
    log = RequestLog()
    for at_ms in range(300):
        log.add(logged(at_ms, 2_000))
    assert REMEMBERED_PARTITIONS // 2_000 == len(log)
    assert 299 == list(log)[-1].at_ms
