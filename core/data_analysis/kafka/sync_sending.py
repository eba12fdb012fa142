"""Hands records to kafka-python's producer, those of one partition together.

Its `send` costs each record checks, a future, locks and a wake-up, several times what writing the
record takes. Here records become a batch as its accumulator holds them, with one future; from there
on they are sent, tried again and split as if they had come singly.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from kafka.errors import IllegalStateError, MessageSizeTooLargeError
from kafka.producer.producer_batch import ProducerBatch
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecordsBuilder
from kafka.structs import TopicPartition

MOST_OVERHEAD_BYTES = 128
"""No record without headers takes more than this beside its key and value, alone in its batch."""


class Record(Protocol):
    """What is sent; `timestamp_ms` is epoch milliseconds."""

    @property
    def key(self) -> bytes: ...
    @property
    def value(self) -> bytes: ...
    @property
    def timestamp_ms(self) -> int: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Sent:
    """A record that is on its way, and what has become of it.

    kafka-python knows it as the future of one record, and rebinds it if it splits the batch.

    Args:
        record: what is sent.
    """

    __slots__ = ("_future", "_index", "_tell", "record")

    def __init__(self, record: Record) -> None:
        self.record = record

    def put(self, future: Any, index: int, tell: Callable[[Any], None]) -> None:
        """Note the batch's future, the place in the batch, and who is to be told of an answer."""
        self._future = future
        self._index = index
        self._tell = tell

    def rebind(self, future: Any, index: int) -> None:
        """The record has gone over to another batch, which is smaller."""
        self.put(future, index, self._tell)
        future.add_both(lambda _: self._tell([self]))

    @property
    def error(self) -> BaseException | None:
        """Why the record was refused, None if it is acknowledged. It has an answer."""
        future = self._future
        if future.exception is not None:
            refused: BaseException = future.exception
            return refused
        error_of = future.value[2]
        return None if error_of is None else error_of(self._index)


class _Batch(ProducerBatch):  # type: ignore[misc]  # kafka-python has no types
    """A batch that tells of all its records at once."""

    def __init__(
        self, tp: TopicPartition, config: Mapping[str, Any], tell: Callable[[Any], None]
    ) -> None:
        records = MemoryRecordsBuilder(
            config["message_version"], config["compression_attrs"], config["batch_size"]
        )
        super().__init__(tp, records)
        self.produce_future.add_both(lambda _: tell(self._record_futures))

    def take(self, sent: Sent, tell: Callable[[Any], None]) -> bool:
        """Put a record behind the others, the first one always; False if there is no room."""
        record = sent.record
        written = self.records.append(
            record.timestamp_ms, record.key, record.value, list(record.headers)
        )
        if written is None:
            return False
        sent.put(self.produce_future, written.offset, tell)
        self._record_futures.append(sent)
        return True


AnySent = TypeVar("AnySent", bound=Sent)


def hand_over(
    client: Any, tp: TopicPartition, records: Sequence[AnySent], tell: Callable[[Any], None]
) -> list[tuple[AnySent, Exception]]:
    """Put records of one partition, in this order, behind those that wait for being sent.

    The client's sender has to be woken. `tell` is called, in its thread, with lists of records that
    have an answer.

    Returns:
        Those that cannot be sent, and why.

    Raises:
        IllegalStateError: the client is closed.
    """
    accumulator = client._accumulator
    refused: list[tuple[AnySent, Exception]] = []
    most_bytes = client.config["max_request_size"]
    accumulator._appends_in_progress.increment()
    try:
        with accumulator._tp_lock(tp):
            if accumulator._closed:
                raise IllegalStateError("the producer is closed")
            waiting = accumulator._batches[tp]
            last = waiting[-1] if waiting and isinstance(waiting[-1], _Batch) else None
            for sent in records:
                try:
                    _check_size(sent.record, most_bytes)
                    if last is None or not last.take(sent, tell):
                        opened = _Batch(tp, accumulator.config, tell)
                        opened.take(sent, tell)
                        accumulator._incomplete.add(opened)
                        waiting.append(opened)
                        last = opened
                except Exception as error:  # kafka-python also raises ValueError and the like here
                    refused.append((sent, error))
    finally:
        accumulator._appends_in_progress.decrement()
    return refused


def _check_size(record: Record, most_bytes: int) -> None:
    """Refuse a record that is larger than a request may be, as kafka-python does."""
    about_bytes = len(record.key) + len(record.value) + MOST_OVERHEAD_BYTES
    if about_bytes <= most_bytes and not record.headers:
        return
    headers = list(record.headers)
    size = DefaultRecordBatchBuilder.estimate_size_in_bytes(record.key, record.value, headers)
    if size > most_bytes:
        raise MessageSizeTooLargeError(
            f"the record has {size} bytes, a request has {most_bytes} at most"
        )
