"""The errors of aiokafka, mapped in one place to ours and to what may be tried again."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import (
    CorruptRecordException,
    KafkaError,
    KafkaTimeoutError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    ProducerClosed,
    StaleLeaderEpochCodeError,
    UnknownError,
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


def is_vague(error: BaseException) -> bool:
    """Return whether an error says nothing of what was sent: it may pass, or may not.

    Kafka's own trouble, codes that aiokafka does not know, bytes that were damaged on the way, and
    code 13, a network's end, which aiokafka takes for something else.
    """
    return isinstance(error, UnknownError | CorruptRecordException | StaleLeaderEpochCodeError)


def producer_is_lost(error: BaseException) -> bool:
    """Return whether the producer itself has ended, so that only a new one can send.

    aiokafka's sender ends on a fencing error and on one it does not know, which it wraps in a plain
    `KafkaError`.
    """
    return type(error) is KafkaError or type(error).__name__ in _SENDER_ENDS


_SENDER_ENDS = (
    ProducerClosed.__name__,
    "ProducerFenced",
    "InvalidProducerEpoch",
    "OutOfOrderSequenceNumber",
    "UnknownProducerId",
)


def lost_position(error: BaseException) -> TopicPartition | None:
    """Return the partition whose position an error of a poll complains about, None for others."""
    if isinstance(error, OffsetOutOfRangeError) and error.args:
        return next(iter(error.args[0]))
    if isinstance(error, NoOffsetForPartitionError) and error.args:
        return error.args[0]
    return None
