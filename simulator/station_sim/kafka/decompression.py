"""The records of a compressed batch, decompressed, but never more of them than a broker can hold.

A few kilobytes may stand for gigabytes. Which bits of a batch name the codec is in `batches.py`.
The formats are those of Kafka's clients: gzip, snappy alone or in xerial's blocks, LZ4 frames,
zstd.
"""

import zlib
from collections.abc import Callable
from struct import Struct
from typing import Any

try:
    import cramjam as _cramjam

    cramjam: Any = _cramjam
except ImportError:
    cramjam = None

DECOMPRESSED_BYTES_MAX = 64 << 20
"""Of one batch; sixty times what a batch may have on the wire, by default."""

_LIKELY_FACTOR = 8
_ANY_GZIP = zlib.MAX_WBITS | 16
_XERIAL = b"\x82SNAPPY\0"
_XERIAL_HEADER_BYTES = 16
_BLOCK = Struct(">i")


class TooLargeError(Exception):
    """A batch that stands for more bytes than are looked into."""


class MissingCodecError(Exception):
    """A codec that nobody knows, or whose package is not installed."""


def decompress(codec: int, data: bytes) -> bytes:
    """What lies behind the header of a batch, by Kafka's number of the codec.

    Raises `TooLargeError`, `MissingCodecError`, and what the codecs raise at foreign bytes.
    """
    if codec not in _CODECS:
        raise MissingCodecError(f"codec {codec}, which Kafka does not have")
    if codec != _GZIP and cramjam is None:
        raise MissingCodecError("it takes the package cramjam")
    return _CODECS[codec](data)


def _gunzip(data: bytes) -> bytes:
    reader = zlib.decompressobj(_ANY_GZIP)
    found = reader.decompress(data, DECOMPRESSED_BYTES_MAX)
    if not reader.eof:
        _check_size(DECOMPRESSED_BYTES_MAX + 1 if reader.unconsumed_tail else 0)
        raise ValueError("gzip that ends early")
    return found


def _unsnap(data: bytes) -> bytes:
    if not data.startswith(_XERIAL):
        return _unsnap_block(data, 0)
    found = bytearray()
    position = _XERIAL_HEADER_BYTES
    while position < len(data):
        (size,) = _BLOCK.unpack_from(data, position)
        position += _BLOCK.size
        if not 0 < size <= len(data) - position:
            raise ValueError(f"a snappy block of {size} bytes")
        found += _unsnap_block(data[position : position + size], len(found))
        position += size
    return bytes(found)


def _unsnap_block(data: bytes, before_bytes: int) -> bytes:
    _check_size(before_bytes + cramjam.snappy.decompress_raw_len(data))
    return bytes(cramjam.snappy.decompress_raw(data))


def _unlz4(data: bytes) -> bytes:
    return _into_a_buffer(cramjam.lz4, data)


def _unzstd(data: bytes) -> bytes:
    return _into_a_buffer(cramjam.zstd, data)


def _into_a_buffer(codec: Any, data: bytes) -> bytes:
    """Decompress where the size is not known: into a buffer that is likely to do, then the largest.

    The codecs say of a buffer that is too small what they say of bytes that are wrong.
    """
    likely = bytearray(min(_LIKELY_FACTOR * len(data), DECOMPRESSED_BYTES_MAX))
    try:
        return bytes(memoryview(likely)[: codec.decompress_into(data, likely)])
    except cramjam.DecompressionError:
        largest = bytearray(DECOMPRESSED_BYTES_MAX)
        return bytes(memoryview(largest)[: codec.decompress_into(data, largest)])


def _check_size(size_bytes: int) -> None:
    if size_bytes > DECOMPRESSED_BYTES_MAX:
        raise TooLargeError(f"more than {DECOMPRESSED_BYTES_MAX} bytes")


_GZIP = 1
_CODECS: dict[int, Callable[[bytes], bytes]] = {_GZIP: _gunzip, 2: _unsnap, 3: _unlz4, 4: _unzstd}
