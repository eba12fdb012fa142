"""The codecs of record batches, by the number that a batch's attributes carry.

Which codec a log keeps its batches in is decided in `logs.py`.
"""

from collections.abc import Callable
from typing import Any

from aiokafka import codec
from aiokafka.codec import (
    gzip_decode,
    gzip_encode,
    lz4_decode,
    lz4_encode,
    snappy_decode,
    snappy_encode,
    zstd_decode,
    zstd_encode,
)

from station_sim.errors import LabError

CODEC_NAMES = ("uncompressed", "gzip", "snappy", "lz4", "zstd")
"""Kafka's names; a codec's place is its number."""

UNCOMPRESSED = 0
GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4

_ENCODERS: dict[int, Callable[[bytes, int | None], bytes]] = {
    GZIP: lambda data, level: gzip_encode(data, None if level == _GZIP_DEFAULT else level),
    SNAPPY: lambda data, _: snappy_encode(data),
    LZ4: lambda data, level: lz4_encode(data) if level is None else lz4_encode(data, level),
    ZSTD: lambda data, level: zstd_encode(data, level),
}
_DECODERS: dict[int, Callable[[bytes], Any]] = {
    GZIP: gzip_decode,
    SNAPPY: snappy_decode,
    LZ4: lz4_decode,
    ZSTD: zstd_decode,
}
_GZIP_DEFAULT = -1


def compress(data: bytes, number: int, level: int | None = None) -> bytes:
    """`data` in a codec, at a level or the codec's own; raises `LabError` if it is missing."""
    if number == UNCOMPRESSED:
        return data
    _require(number)
    return bytes(_ENCODERS[number](data, level))


def decompress(data: bytes, number: int) -> bytes:
    """What was compressed; raises `LabError` if the codec is missing, and `ValueError` for bytes
    that are not its own.
    """
    if number == UNCOMPRESSED:
        return data
    _require(number)
    try:
        return bytes(_DECODERS[number](data))
    except Exception as error:  # each codec has errors of its own
        raise ValueError(f"not compressed by {CODEC_NAMES[number]}: {error}") from error


def _require(number: int) -> None:
    if number not in _DECODERS:
        raise ValueError(f"no codec has the number {number}")
    if number != GZIP and not codec.has_zstd():
        raise LabError(
            f"cannot look into a batch of codec {CODEC_NAMES[number]}; install the package cramjam"
        )
