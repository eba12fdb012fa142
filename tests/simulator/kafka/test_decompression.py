"""Decompression: every codec of Kafka's clients, and no more bytes than a broker can hold."""

import gzip
import zlib
from collections.abc import Callable

import cramjam
import pytest
from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode

from station_sim.kafka import decompression
from station_sim.kafka.decompression import (
    MissingCodecError,
    TooLargeError,
    decompress,
)

PLAIN = b"some records, over and over; " * 1000
GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
FORMS: list[tuple[int, Callable[[bytes], bytes]]] = [
    (GZIP, gzip_encode),
    (SNAPPY, snappy_encode),
    (SNAPPY, lambda data: bytes(cramjam.snappy.compress_raw(data))),
    (LZ4, lz4_encode),
    (ZSTD, zstd_encode),
]
FORM_NAMES = ["gzip", "snappy in xerial's blocks", "snappy alone", "lz4", "zstd"]
each_form = pytest.mark.parametrize(("codec", "compress"), FORMS, ids=FORM_NAMES)


@each_form
@pytest.mark.parametrize("plain", [b"", b"x", PLAIN, bytes(1_000_000)])
def test_it_comes_out_as_it_went_in(
    codec: int, compress: Callable[[bytes], bytes], plain: bytes
) -> None:
    assert plain == decompress(codec, compress(plain))


@each_form
def test_bombs_are_refused(
    codec: int, compress: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decompression, "DECOMPRESSED_BYTES_MAX", len(PLAIN) - 1)
    with pytest.raises((TooLargeError, cramjam.DecompressionError)):
        decompress(codec, compress(PLAIN))


@each_form
def test_what_is_cut_or_foreign_is_refused(codec: int, compress: Callable[[bytes], bytes]) -> None:
    for data in (compress(PLAIN)[:-9], b"\xff" * 50, b"no codec's bytes"):
        with pytest.raises((ValueError, zlib.error, cramjam.DecompressionError)):
            decompress(codec, data)


def test_unknown_codecs_are_named() -> None:
    with pytest.raises(MissingCodecError, match="codec 5"):
        decompress(5, gzip.compress(PLAIN))
