"""The errors of aiokafka, mapped in one place to ours and to what may be tried again."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    ProducerClosed,
)
from aiokafka.structs import TopicPartition

from data_analysis.errors import KafkaConnectionError


@contextmanager
def mapped(what: str) -> Iterator[None]:
    """Raise `KafkaConnectionError` for what aiokafka raises while doing `what`."""
    try:
        yield
    except (KafkaError, OSError) as error:
        raise KafkaConnectionError(f"{what} failed: {describe(error)}") from error


def describe(error: BaseException) -> str:
    """Return an error as one line, without anything that differs from run to run."""
    return str(error) or type(error).__name__


def may_pass(error: BaseException) -> bool:
    """Return whether the same request may succeed later."""
    if isinstance(error, KafkaTimeoutError | OSError):
        return True
    return isinstance(error, KafkaError) and error.retriable


def producer_is_lost(error: BaseException) -> bool:
    """Return whether the producer itself has ended, so that only a new one can send.

    aiokafka's sender ends on a fencing error and on one it does not know, which it wraps in a plain
    `KafkaError`.
    """
    return type(error) is KafkaError or type(error).__name__ in _SENDER_ENDS


_SENDER_ENDS = (ProducerClosed.__name__, "ProducerFenced", "OutOfOrderSequenceNumber")


def lost_position(error: BaseException) -> TopicPartition | None:
    """Return the partition whose position an error of a poll complains about, None for others."""
    if isinstance(error, OffsetOutOfRangeError) and error.args:
        return next(iter(error.args[0]))
    if isinstance(error, NoOffsetForPartitionError) and error.args:
        return error.args[0]
    return None
