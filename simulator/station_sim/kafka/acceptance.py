"""Which batches a log takes: size, CRC, format, keys and times against the topic's configuration.

The decisions of LogValidator and UnifiedLog in Apache Kafka, in their order. Sequence numbers of
idempotent producers are checked in `producers.py`, the bytes themselves in `batches.py`.
"""

from collections.abc import Sequence

from station_sim.kafka.batches import (
    CODEC_MASK,
    CONTROL_BIT,
    HEADER_BYTES,
    LAST_CODEC,
    RECORD_BYTES_MIN,
    Batch,
    Record,
    check_crc,
    records_of,
)
from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.topic_config import TopicConfig

_KEY_MISSING = "Compacted topic cannot accept message without key in topic partition {}-{}"

ERRORS_SHOWN = 3
"""Of a batch's wrong records, those that the answer's text tells of."""


def check_batch(
    batch: Batch, config: TopicConfig, now_ms: int, partition: tuple[str, int] = ("", 0)
) -> None:
    """Raise `RefusalError` with what Kafka answers unless `batch` may be appended at `now_ms`.

    `partition` is what the answer calls the log: topic and number.
    """
    _check_message_size(len(batch.data), config)
    check_crc(batch)
    _check_segment_size(len(batch.data), config)
    _check_format(batch)
    _check_records(batch, partition, config, now_ms)


def check_size(size_bytes: int, config: TopicConfig) -> None:
    """Raise `RefusalError` if a batch is larger than the topic or a segment takes."""
    _check_message_size(size_bytes, config)
    _check_segment_size(size_bytes, config)


def _check_message_size(size_bytes: int, config: TopicConfig) -> None:
    limit_bytes = config.max_message_bytes
    if size_bytes > limit_bytes:
        raise RefusalError(
            ErrorCode.MESSAGE_TOO_LARGE, f"a batch of {size_bytes} bytes, limit {limit_bytes}"
        )


def _check_segment_size(size_bytes: int, config: TopicConfig) -> None:
    if size_bytes > config.segment_bytes:
        raise RefusalError(
            ErrorCode.RECORD_LIST_TOO_LARGE, f"a batch of {size_bytes} bytes fits no segment"
        )


def _check_format(batch: Batch) -> None:
    if batch.base_offset != 0:
        raise RefusalError(ErrorCode.INVALID_RECORD, "the base offset of a batch must be 0")
    if batch.count < 1 or batch.last_offset != batch.count - 1:
        raise RefusalError(
            ErrorCode.INVALID_RECORD,
            f"last offset delta {batch.last_offset} in a batch of {batch.count} records",
        )
    if batch.attributes & CONTROL_BIT:
        raise RefusalError(ErrorCode.INVALID_RECORD, "clients may not write control records")
    if batch.producer_id >= 0 > batch.base_sequence:
        raise RefusalError(
            ErrorCode.INVALID_RECORD, f"sequence {batch.base_sequence} of an idempotent producer"
        )
    codec = batch.attributes & CODEC_MASK
    if codec > LAST_CODEC:
        raise RefusalError(ErrorCode.UNKNOWN_SERVER_ERROR, f"compression codec {codec}")
    if not codec and batch.count * RECORD_BYTES_MIN > len(batch.data) - HEADER_BYTES:
        raise RefusalError(
            ErrorCode.INVALID_RECORD, f"{batch.count} records in {len(batch.data)} bytes"
        )


def _check_records(
    batch: Batch, partition: tuple[str, int], config: TopicConfig, now_ms: int
) -> None:
    """As LogValidator: of each record the key first, then the time; a wrong time names the lot."""
    allowed_ms = _time_bounds_ms(config, now_ms)
    looks_at_times = not config.log_append_time and not _times_are_in_order(batch, allowed_ms)
    if not config.compacts and not looks_at_times:
        return
    errors: list[tuple[int, str]] = []
    has_wrong_time = False
    for record in records_of(batch):
        if config.compacts and record.key is None:
            errors.append((record.offset, _KEY_MISSING.format(*partition)))
        elif looks_at_times:
            wrong = _wrong_time(record, allowed_ms)
            if wrong is not None:
                has_wrong_time = True
                errors.append((record.offset, wrong))
    if errors:
        code = ErrorCode.INVALID_TIMESTAMP if has_wrong_time else ErrorCode.INVALID_RECORD
        raise RefusalError(code, _text_of(errors, has_wrong_time), record_errors=errors)


def _times_are_in_order(batch: Batch, allowed_ms: tuple[int, int]) -> bool:
    """Look at the header first, for most batches are in order."""
    earliest_ms, latest_ms = allowed_ms
    return batch.max_timestamp_ms <= latest_ms and not 0 <= batch.base_timestamp_ms < earliest_ms


def _wrong_time(record: Record, allowed_ms: tuple[int, int]) -> str | None:
    earliest_ms, latest_ms = allowed_ms
    if record.timestamp_ms < 0 or earliest_ms <= record.timestamp_ms <= latest_ms:
        return None
    return (
        f"Timestamp {record.timestamp_ms} of message with offset {record.offset} is out of "
        f"range. The timestamp should be within [{earliest_ms}, {latest_ms}]"
    )


def _time_bounds_ms(config: TopicConfig, now_ms: int) -> tuple[int, int]:
    return (
        now_ms - config.message_timestamp_before_max_ms,
        now_ms + config.message_timestamp_after_max_ms,
    )


def _text_of(errors: Sequence[tuple[int, str]], has_wrong_time: bool) -> str:
    if has_wrong_time:
        return "One or more records have been rejected due to invalid timestamp"
    shown = ", ".join(
        f"RecordError(batchIndex={index}, message='{text}')"
        for index, text in errors[:ERRORS_SHOWN]
    )
    return (
        f"One or more records have been rejected due to {len(errors)} record errors in total, and "
        f"only showing the first three errors at most: [{shown}]"
    )
