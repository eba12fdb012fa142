"""The bytes of a Fetch answer, written without going through the generated codec.

Answers of fetches carry nearly all bytes that a broker sends; the generated codec would copy them
three times more, and spends most of its time on tags that are never there. What this module does
not know (versions below 4, tagged fields) it leaves to that codec, whose bytes it gives in every
other case (`tests/simulator/kafka/test_fetch_encoding.py`). What an answer means is in
`fetch.py`.
"""

from collections.abc import Callable, Sequence
from struct import Struct
from typing import Any
from uuid import UUID

VERSIONS = (4, 18)

_FIRST_FLEXIBLE = 12
_FIRST_BY_ID = 13

_NO_ID = bytes(16)
_NO_TAGS = b"\0"

_COUNT = Struct(">i")
_NAME_LENGTH = Struct(">h")
_ABORTED = Struct(">qq")

_TOP, _TOP_WITH_SESSION = Struct(">i"), Struct(">ihi")
_FIRST_VERSION_WITH_SESSION = 7
_HEAD, _HEAD_WITH_START = Struct(">ihqq"), Struct(">ihqqq")
_FIRST_VERSION_WITH_START = 5
_REPLICA = Struct(">i")
_FIRST_VERSION_WITH_REPLICA = 11


def encode(response: Any, version: int) -> Sequence[bytes]:
    """The body of an answer in pieces; `records` may be a list of batches, which stay whole."""
    low, high = VERSIONS
    flexible = version >= _FIRST_FLEXIBLE
    if not low <= version <= high or (flexible and _has_tags(response)):
        return (_encode_by_codec(response, version),)
    count = compact_count if flexible else _plain_count
    pieces = [_top(response, version), count(len(response.responses))]
    for topic in response.responses:
        pieces.append(_name(topic, version))
        pieces.append(count(len(topic.partitions)))
        for answer in topic.partitions:
            _add_partition(pieces, answer, version, count)
        if flexible:
            pieces.append(_NO_TAGS)
    if flexible:
        pieces.append(_NO_TAGS)
    return pieces


def _encode_by_codec(response: Any, version: int) -> bytes:
    for topic in response.responses:
        for answer in topic.partitions:
            if isinstance(answer.records, list):
                answer.records = b"".join(answer.records)
    return bytes(response.encode(version=version))


def _has_tags(response: Any) -> bool:
    return bool(response.node_endpoints) or any(
        answer.diverging_epoch is not None
        or answer.current_leader is not None
        or answer.snapshot_id is not None
        for topic in response.responses
        for answer in topic.partitions
    )


def _top(response: Any, version: int) -> bytes:
    if version < _FIRST_VERSION_WITH_SESSION:
        return _TOP.pack(response.throttle_time_ms)
    return _TOP_WITH_SESSION.pack(
        response.throttle_time_ms, response.error_code, response.session_id
    )


def _name(topic: Any, version: int) -> bytes:
    if version >= _FIRST_BY_ID:
        topic_id: UUID | None = topic.topic_id
        return _NO_ID if topic_id is None else topic_id.bytes
    name: bytes = topic.topic.encode()
    if version >= _FIRST_FLEXIBLE:
        return compact_count(len(name)) + name
    return _NAME_LENGTH.pack(len(name)) + name


def _add_partition(
    pieces: list[bytes], answer: Any, version: int, count: Callable[[int | None], bytes]
) -> None:
    flexible = version >= _FIRST_FLEXIBLE
    head = (
        answer.partition_index,
        answer.error_code,
        answer.high_watermark,
        answer.last_stable_offset,
    )
    if version < _FIRST_VERSION_WITH_START:
        begin = _HEAD.pack(*head)
    else:
        begin = _HEAD_WITH_START.pack(*head, answer.log_start_offset)
    aborted = answer.aborted_transactions
    begin += count(None if aborted is None else len(aborted))
    for each in aborted or ():
        begin += _ABORTED.pack(each.producer_id, each.first_offset)
        if flexible:
            begin += _NO_TAGS
    if version >= _FIRST_VERSION_WITH_REPLICA:
        begin += _REPLICA.pack(answer.preferred_read_replica)
    records = answer.records
    if isinstance(records, list):
        pieces.append(begin + count(sum(map(len, records))))
        pieces.extend(records)
    else:
        pieces.append(begin + count(None if records is None else len(records)))
        pieces.append(records or b"")
    if flexible:
        pieces.append(_NO_TAGS)


def _plain_count(count: int | None) -> bytes:
    return _COUNT.pack(-1 if count is None else count)


def compact_count(count: int | None) -> bytes:
    """How many there are in a flexible version: one more, as an unsigned varint; None is 0."""
    value = 0 if count is None else count + 1
    if value < 0x80:
        return _ONE_BYTE[value]
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


_ONE_BYTE = [bytes((value,)) for value in range(0x80)]
