"""What consumers say about the topics they want, inside the metadata of a join.

The broker otherwise passes that metadata on unread; it looks into it to know which offsets of a
group are in use. The layout is Kafka's ConsumerProtocolSubscription: version, then topics.
"""

from collections.abc import Iterable
from struct import Struct
from struct import error as struct_error

CONSUMER = "consumer"
"""The protocol type of those who speak so."""

_HEAD = Struct(">hi")
_LENGTH = Struct(">h")


def subscribed_topics(metadata: Iterable[bytes]) -> frozenset[str] | None:
    """The topics that any of several consumers wants; None if one of them is not understood."""
    found: set[str] = set()
    for each in metadata:
        try:
            found.update(_topics(each))
        except (struct_error, ValueError):
            return None
    return frozenset(found)


def _topics(metadata: bytes) -> list[str]:
    """The topics of one; raises `struct.error` or `ValueError` for other bytes."""
    version, count = _HEAD.unpack_from(metadata)
    if version < 0 or count < 0:
        raise ValueError(f"a subscription of version {version} to {count} topics")
    position = _HEAD.size
    topics = []
    for _ in range(count):
        (length,) = _LENGTH.unpack_from(metadata, position)
        position += _LENGTH.size
        name = metadata[position : position + length]
        if length < 0 or len(name) < length:
            raise ValueError(f"a topic name of {length} bytes")
        topics.append(name.decode())
        position += length
    return topics
