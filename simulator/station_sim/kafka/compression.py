"""The codecs in which a broker keeps batches: Kafka's names for them, and packing.

How they are unpacked, and how much at most, is in `decompression.py`. Which codec a log keeps its
batches in is decided in `logs.py`.
"""

from station_sim.errors import LabError
from station_sim.kafka import decompression

CODEC_NAMES = ("uncompressed", "gzip", "snappy", "lz4", "zstd")
"""Kafka's names; a codec's place is its number."""

UNCOMPRESSED = 0
GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4

_GZIP_DEFAULT, _LZ4_DEFAULT = -1, 9


def compress(data: bytes, number: int, level: int | None = None) -> bytes:
    """`data` in a codec, at a level or the codec's own; raises `LabError` if it is missing."""
    if number == UNCOMPRESSED:
        return data
    # Few brokers ever pack a batch, and a client's library takes long to import.
    from aiokafka import codec

    try:
        if number == GZIP:
            return bytes(codec.gzip_encode(data, None if level == _GZIP_DEFAULT else level))
        if number == SNAPPY:
            return bytes(codec.snappy_encode(data))
        if number == LZ4:
            return bytes(codec.lz4_encode(data, _LZ4_DEFAULT if level is None else level))
        return bytes(codec.zstd_encode(data, level))
    except NotImplementedError as error:
        raise LabError(
            f"cannot compress by {CODEC_NAMES[number]}; install the package cramjam"
        ) from error


def decompress(data: bytes, number: int) -> bytes:
    """What was compressed; raises `LabError` if the codec is missing, and `ValueError` for bytes
    that are not its own or too many.
    """
    if number == UNCOMPRESSED:
        return data
    try:
        return decompression.decompress(number, data)
    except decompression.MissingCodecError as error:
        if number >= len(CODEC_NAMES):
            raise ValueError(str(error)) from error
        raise LabError(f"cannot look into a compressed batch: {error}") from error
    except Exception as error:  # each codec has errors of its own
        raise ValueError(f"not compressed by {CODEC_NAMES[number]}: {error}") from error
