"""What a test says that needs Apache Kafka: skipped with one line where it cannot be had.

With `STATION_LAB_REQUIRE_KAFKA=1` that is a failure instead.
"""

import pytest

from station_sim.brokers import kafka_is_required, why_no_kafka


def require_kafka(kind: str) -> None:
    """Skip, or fail, the running test unless a broker of this kind can be had."""
    reason = why_no_kafka(kind)
    if reason is None:
        return
    if kafka_is_required():
        pytest.fail(f"STATION_LAB_REQUIRE_KAFKA is set, but: {reason}", pytrace=False)
    pytest.skip(reason)
