"""The errors of both Kafka clients, mapped in one place to ours and to what may be tried again."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import aiokafka.errors
import kafka.errors
from aiokafka.structs import TopicPartition

from data_analysis.errors import DataAnalysisError, KafkaConnectionError

CLIENT_ERRORS = (aiokafka.errors.KafkaError, kafka.errors.KafkaError, OSError)
"""What the clients raise for the sake of Kafka or the network."""

_TIMEOUTS = (aiokafka.errors.KafkaTimeoutError, kafka.errors.KafkaTimeoutError, OSError)
_VAGUE = (
    aiokafka.errors.UnknownError,
    aiokafka.errors.CorruptRecordException,
    aiokafka.errors.StaleLeaderEpochCodeError,
    kafka.errors.UnknownError,
    kafka.errors.CorruptRecordError,
)
_OUT_OF_RANGE = (aiokafka.errors.OffsetOutOfRangeError, kafka.errors.OffsetOutOfRangeError)


_UNREACHED = "Unable to bootstrap from"
"""What both clients say, whatever the reason was; only their logs have that."""

NOBODY_ANSWERS = (
    "no broker answers as it should; is the address right, does Kafka run there,"
    " do security_protocol, user and password fit?"
)


class UnansweredError(DataAnalysisError):
    """A request was not answered; `passing` says whether it may be later."""

    def __init__(self, text: str, passing: bool) -> None:
        super().__init__(text)
        self.passing = passing


def unanswered(error: BaseException) -> UnansweredError:
    """Return what the decisions are told of a client's error, which is its cause."""
    ours = UnansweredError(describe(error), may_pass(error))
    ours.__cause__ = error
    return ours


@contextmanager
def mapped(what: str) -> Iterator[None]:
    """Raise `KafkaConnectionError` for what a client raises while doing `what`."""
    try:
        yield
    except CLIENT_ERRORS as error:
        raise KafkaConnectionError(f"{what} failed: {describe(error)}") from error


@contextmanager
def gone_is_unknown() -> Iterator[None]:
    """Raise Kafka's error for a partition that is gone, where kafka-python stumbles over it."""
    try:
        yield
    except KeyError as error:
        raise kafka.errors.UnknownTopicOrPartitionError(f"no such partition: {error}") from error


def describe(error: BaseException) -> str:
    """Return an error as one line, without anything that differs from run to run."""
    if _UNREACHED in str(error):
        return NOBODY_ANSWERS
    # kafka-python says `None` where there is nothing to say.
    return str(error).removesuffix(": None") or type(error).__name__


def no_topics(what: str, topics: Iterable[str]) -> KafkaConnectionError:
    """Return what is raised where Kafka lacks topics that are to be read."""
    return KafkaConnectionError(
        f"{what} failed: it has no topic {', '.join(topics)}, or shows none to this user;"
        " make it, or take it out of the configuration"
    )


def may_pass(error: BaseException | None) -> bool:
    """Return whether the same request may succeed later."""
    if isinstance(error, _TIMEOUTS):
        return True
    return isinstance(error, CLIENT_ERRORS) and bool(getattr(error, "retriable", False))


def is_vague(error: BaseException) -> bool:
    """Return whether an error says nothing of what was sent: it may pass, or may not.

    Kafka's own trouble, codes that a client does not know, bytes that were damaged on the way, and
    code 13, a network's end, which aiokafka takes for something else.
    """
    return isinstance(error, _VAGUE)


def producer_is_lost(error: BaseException) -> bool:
    """Return whether the producer itself has ended, so that only a new one can send.

    aiokafka's sender ends on a fencing error and on one it does not know, which it wraps in a plain
    `KafkaError`.
    """
    name = type(error).__name__.removesuffix("Error")
    return type(error) is aiokafka.errors.KafkaError or name in _SENDER_ENDS


_SENDER_ENDS = (
    "ProducerClosed",
    "ProducerFenced",
    "InvalidProducerEpoch",
    "OutOfOrderSequenceNumber",
    "UnknownProducerId",
    "IllegalState",
)
"""Names that both clients use; kafka-python adds `Error` and says `IllegalStateError` of one that
is closed or has failed."""


def lost_position(error: BaseException) -> TopicPartition | None:
    """Return the partition whose position an error of a poll complains about, None for others."""
    if isinstance(error, _OUT_OF_RANGE) and error.args and isinstance(error.args[0], dict):
        return TopicPartition(*next(iter(error.args[0])))
    if isinstance(error, aiokafka.errors.NoOffsetForPartitionError) and error.args:
        return error.args[0]
    return None
