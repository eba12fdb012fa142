"""What a broker's answers to admin requests say: error codes and leaders.

Only reading of answers lives here; `broker.py` asks.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka.errors import KafkaError, for_code

from station_sim.brokers.retrying import NotYetError

NO_ERROR = 0
UNKNOWN_TOPIC_OR_PARTITION = 3
TOPIC_ALREADY_EXISTS = 36


def check_topic_errors(errors: Iterable[Sequence[Any]], *, accepted: Iterable[int] = ()) -> None:
    """Raises the first error among `(topic, error code[, message])`, but for accepted codes."""
    passing = {NO_ERROR, *accepted}
    for topic, code, *message in errors:
        if code not in passing:
            raise _error(code, f"topic {topic}: {' '.join(str(part) for part in message if part)}")


def leaders(topics: Iterable[dict[str, Any]]) -> dict[str, dict[int, int]]:
    """`{topic: {partition: leader}}` of a metadata answer; a partition without one has -1."""
    return {
        topic["topic"]: {
            each["partition"]: -1 if each["error_code"] else each["leader"]
            for each in topic["partitions"]
        }
        for topic in topics
    }


def require_leaders(found: dict[str, dict[int, int]], names: Iterable[str]) -> None:
    """Raises `NotYetError` unless every partition of every named topic has a leader."""
    for name in names:
        if not found.get(name):
            raise NotYetError(f"topic {name} is not listed")
        headless = [partition for partition, leader in found[name].items() if leader < 0]
        if headless:
            raise NotYetError(f"topic {name} has no leader for partitions {sorted(headless)}")


def _error(code: int, text: str) -> KafkaError:
    kind: type[KafkaError] = for_code(code)
    return kind(text.rstrip(": "))
