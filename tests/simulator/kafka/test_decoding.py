"""Decoders: the same requests as kafka-python reads, refusals of all else, and never for long."""

import random
import struct
import time
from contextlib import suppress
from typing import Any

import pytest
from tests.simulator.kafka.random_requests import random_request

from station_sim.kafka.decoding import (
    ELEMENTS_MAX,
    MalformedError,
    decoder_of,
    skip_tags,
    varint,
)
from station_sim.kafka.requests.registry import KINDS, KINDS_BY_NAME, Kind

DECODING_S_MAX = 0.5
"""Generous beside the 0.1 s that the bounds are meant for: other tests run at the same time."""

REFUSALS = (MalformedError, IndexError, ValueError, struct.error)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_requests_are_read_as_kafka_python_reads_them(kind: Kind) -> None:
    rng = random.Random(kind.name)
    for version in range(kind.versions[0], kind.versions[1] + 1):
        for _ in range(20):
            request = random_request(kind.request, version, rng)
            body = bytes(request.encode(version=version))
            expected = kind.request.decode(body, version=version)

            read = decoder_of(kind.request, version)(b"head" + body, 4)

            assert expected.to_dict(json=False) == read.to_dict(json=False)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_request_that_ends_early_is_refused(kind: Kind) -> None:
    rng = random.Random(kind.name)
    for version in range(kind.versions[0], kind.versions[1] + 1):
        body = bytes(random_request(kind.request, version, rng).encode(version=version))
        for end in rng.sample(range(len(body)), k=min(40, len(body))):
            with pytest.raises(REFUSALS):
                decoder_of(kind.request, version)(body[:end], 0)


def frames_that_cost() -> list[tuple[str, str, int, bytes]]:
    mega = 8 << 20
    metadata, fetch = "Metadata", "Fetch"
    return [
        ("varints without end", metadata, 12, b"\xff" * mega),
        ("elements of a byte", metadata, 9, b"\x81\x80\x80\x04" + b"\0" * mega),
        ("tags of two bytes", metadata, 9, b"\x01\0\0\0" + b"\x81\x80\x80\x01" + b"\x10\0" * mega),
        ("structs with tags", metadata, 9, _many_tagged(ELEMENTS_MAX // 3)),
        ("arrays in arrays", fetch, 12, _nested_arrays()),
        ("one huge string", metadata, 1, struct.pack(">ih", 1, 32767) + b"\0" * mega),
    ]


def _many_tagged(count: int) -> bytes:
    """Topics that each carry an unknown tag: reading one must not copy what follows."""
    return _compact(count) + b"\x02a\x01\x63\x01x" * count + b"\0\0\0\0"


def _nested_arrays() -> bytes:
    head = struct.pack(">iiiibii", -1, 0, 1, 1000, 0, 0, -1)
    topic = b"\x02a" + _compact(1000) + bytes(33) * 1000 + b"\0"
    return head + _compact(50_000) + topic * 5_000


def _compact(count: int) -> bytes:
    left, made = count + 1, b""
    while left > 127:
        made, left = made + bytes([left & 127 | 128]), left >> 7
    return made + bytes([left])


@pytest.mark.parametrize(
    ("kind", "version", "body"),
    [row[1:] for row in frames_that_cost()],
    ids=[row[0] for row in frames_that_cost()],
)
def test_no_frame_takes_long(kind: str, version: int, body: bytes) -> None:
    decode = decoder_of(KINDS_BY_NAME[kind].request, version)
    began_s = time.process_time()
    with suppress(*REFUSALS):
        decode(body, 0)
    assert time.process_time() - began_s < DECODING_S_MAX


def test_null_is_refused_where_the_schema_has_none() -> None:
    with pytest.raises(MalformedError, match="topics is null"):
        decoder_of(KINDS_BY_NAME["Metadata"].request, 0)(struct.pack(">i", -1), 0)


def test_text_that_is_no_utf_8_reads_as_java_reads_it() -> None:
    body = struct.pack(">ih", 1, 2) + b"a\xff"
    assert "a\ufffd" == decoder_of(KINDS_BY_NAME["Metadata"].request, 1)(body, 0).topics[0].name


def test_unknown_tags_are_skipped() -> None:
    body = b"\x01" + b"\0\0\0" + b"\x02\x63\x02ab\x64\x00"
    assert [] == decoder_of(KINDS_BY_NAME["Metadata"].request, 9)(body, 0).topics
    assert len(body) == skip_tags(body, 4)


@pytest.mark.parametrize(
    ("data", "value"),
    [(b"\0", 0), (b"\x7f", 127), (b"\x80\x01", 128), (b"\xff\xff\xff\xff\x0f", -1)],
)
def test_numbers_of_variable_length(data: bytes, value: int) -> None:
    assert (value, len(data)) == varint(data, 0)


def test_a_known_tag_is_read() -> None:
    request: Any = KINDS_BY_NAME["Fetch"].request(cluster_id="c", topics=[])
    body = bytes(request.encode(version=12))
    assert "c" == decoder_of(type(request), 12)(body, 0).cluster_id
