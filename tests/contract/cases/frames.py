"""Frames that no client sends: what a broker refuses by hanging up, and what it overlooks.

Each is sent on a connection of its own, and the connection that was there before must notice
nothing. Requests that are whole and ask for something strange are in the families of their kinds.
"""

import struct

from kafka.protocol.metadata import ApiVersionsRequest, ApiVersionsResponse, MetadataResponse

from tests.contract.bench import Bench
from tests.contract.registry import case

PRODUCE, FETCH, METADATA, COORDINATOR, HEARTBEAT, API_VERSIONS = 0, 1, 3, 10, 12, 18
INVALID_REQUEST, UNSUPPORTED_VERSION, INVALID_TOPIC = 42, 35, 17
INT_MAX, INT_MIN = 2**31 - 1, -(2**31)
CORRELATION_ID = 7

EMPTY_ARRAY = 1
NO_TAGS = b"\0"
NO_TOPICS = b"\x01"
METADATA_FLAGS = b"\0\0\0"
ENDLESS = b"\xff" * 100_000


def number(value: int) -> bytes:
    """An INT32."""
    return struct.pack(">i", value)


def text(content: bytes | None) -> bytes:
    """A STRING or NULLABLE_STRING, as it is before flexible versions."""
    return struct.pack(">h", -1) if content is None else struct.pack(">h", len(content)) + content


def framed(payload: bytes) -> bytes:
    """A frame around a payload."""
    return number(len(payload)) + payload


def request(api_key: int, version: int, body: bytes, *, client_id: bytes = text(b"c")) -> bytes:
    """A frame with a header in order; flexible ones get the tags of their header from `body`."""
    return framed(struct.pack(">hhi", api_key, version, CORRELATION_ID) + client_id + body)


async def hang_ups(kafka: Bench, *frames: bytes) -> list[bool]:
    """Whether the broker hangs up at each of the frames, and still serves others afterwards."""
    found = []
    for frame in frames:
        connection = await kafka.connect()
        connection.send_bytes(frame)
        found.append(await connection.hung_up())
    answer = await kafka.wire.ask(ApiVersionsRequest(), 0)
    assert answer.error_code == 0
    return found


async def answer_to(kafka: Bench, frame: bytes) -> bytes:
    """The answer to a frame, without its correlation id."""
    connection = await kafka.connect()
    connection.send_bytes(frame)
    answer = await connection.frame()
    assert struct.unpack_from(">i", answer) == (CORRELATION_ID,)
    return answer[4:]


@case("ApiVersions")
async def case_sizes_that_no_frame_has(kafka: Bench) -> None:
    """A frame of no bytes, of a negative number or of more than socket.request.max.bytes closes the
    connection at once.
    """
    sizes = (0, -1, INT_MIN, INT_MAX, 104_857_601)
    assert all(await hang_ups(kafka, *map(number, sizes)))


@case("ApiVersions")
async def case_headers_that_end_early(kafka: Bench) -> None:
    """A frame too short for a header closes the connection."""
    head = struct.pack(">hhi", API_VERSIONS, 0, CORRELATION_ID)
    assert all(await hang_ups(kafka, *(framed(head[:size]) for size in (1, 3, 4, 8))))


@case("ApiVersions")
async def case_client_id_beyond_the_frame(kafka: Bench) -> None:
    """A client id longer than its frame closes the connection."""
    frame = request(API_VERSIONS, 0, b"", client_id=struct.pack(">h", 30_000))
    assert all(await hang_ups(kafka, frame))


@case("ApiVersions")
async def case_client_ids_that_are_no_text(kafka: Bench) -> None:
    """A client id that is no UTF-8, or has any negative length, is as good as another."""
    for client_id in (text(b"\xff\xfe\xc3"), struct.pack(">h", -2), text(None)):
        answer = await answer_to(kafka, request(API_VERSIONS, 0, b"", client_id=client_id))
        assert ApiVersionsResponse.decode(answer, version=0).error_code == 0


@case("Metadata", "Produce")
async def case_bodies_that_end_early(kafka: Bench) -> None:
    """A body that promises more text, records or fields than there are closes the connection."""
    records = struct.pack(">hhi", -1, 1, 1000) + number(1) + text(b"T") + number(1) + number(0)
    assert all(
        await hang_ups(
            kafka,
            request(METADATA, 1, number(1) + struct.pack(">h", 10) + b"abc"),
            request(METADATA, 1, b""),
            request(METADATA, 4, number(0)),
            request(PRODUCE, 3, records + number(1000) + b"xx"),
        )
    )


@case("Metadata")
async def case_arrays_beyond_the_frame(kafka: Bench) -> None:
    """An array of more elements than there are bytes closes the connection."""
    assert all(
        await hang_ups(
            kafka,
            request(METADATA, 1, number(INT_MAX)),
            request(METADATA, 1, number(1000) + bytes(10)),
            request(METADATA, 9, NO_TAGS + b"\xff\xff\xff\xff\x07" + bytes(10)),
        )
    )


@case("Metadata")
async def case_arrays_of_negative_size(kafka: Bench) -> None:
    """Any negative number of elements is null, where null is allowed."""
    topic = await kafka.topic()
    for size in (-1, -2, INT_MIN):
        answer = await answer_to(kafka, request(METADATA, 1, number(size)))
        assert topic in [t.name for t in MetadataResponse.decode(answer, version=1).topics]


@case("Metadata", "Fetch")
async def case_null_arrays_where_none_may_be(kafka: Bench) -> None:
    """A null array closes the connection where null is not allowed."""
    fetch = struct.pack(">iiiib", -1, 0, 1, 1000, 0)
    assert all(
        await hang_ups(
            kafka,
            request(METADATA, 0, number(-1)),
            request(FETCH, 4, fetch + number(-1)),
            request(PRODUCE, 3, struct.pack(">hhi", -1, 1, 1000) + number(-1)),
        )
    )


@case("Metadata", "FindCoordinator", "Heartbeat")
async def case_null_texts_where_none_may_be(kafka: Bench) -> None:
    """A null text closes the connection where null is not allowed."""
    assert all(
        await hang_ups(
            kafka,
            request(METADATA, 1, number(1) + text(None)),
            request(COORDINATOR, 1, text(None) + b"\0"),
            request(HEARTBEAT, 1, text(None) + number(1) + text(b"m")),
        )
    )


@case("Metadata")
async def case_numbers_that_do_not_end(kafka: Bench) -> None:
    """A number of variable length has at most five bytes; a longer one closes the connection."""
    assert all(
        await hang_ups(
            kafka,
            request(METADATA, 9, ENDLESS),
            request(METADATA, 9, NO_TAGS + ENDLESS),
            request(METADATA, 9, NO_TAGS + NO_TOPICS + METADATA_FLAGS + ENDLESS),
        )
    )


@case("Metadata")
async def case_unknown_tags_are_skipped(kafka: Bench) -> None:
    """Tagged fields that nobody knows are skipped, in any order, in header and body."""
    tags = b"\x02\x63\x02ab\x10\x01c"
    body = tags + NO_TOPICS + METADATA_FLAGS + tags
    answer = await answer_to(kafka, request(METADATA, 9, body))
    assert MetadataResponse.decode(answer[1:], version=9).topics == []


@case("Metadata")
async def case_tags_beyond_the_frame(kafka: Bench) -> None:
    """Tagged fields longer, or more, than what is there close the connection."""
    body = NO_TAGS + NO_TOPICS + METADATA_FLAGS
    for tags in (b"\x01\x63\x7fab", b"\xff\xff\xff\xff\x07", b"\x02\x63\x01a"):
        assert all(
            await hang_ups(kafka, request(METADATA, 9, tags), request(METADATA, 9, body + tags))
        )


@case("Metadata", "ApiVersions")
async def case_bytes_behind_a_request(kafka: Bench) -> None:
    """What lies behind the last field of a request is overlooked."""
    answer = await answer_to(kafka, request(METADATA, 1, number(0) + b"\1\2\3"))
    assert MetadataResponse.decode(answer, version=1).topics == []
    answer = await answer_to(kafka, request(API_VERSIONS, 0, b"\1\2\3"))
    assert ApiVersionsResponse.decode(answer, version=0).error_code == 0


@case("Metadata")
async def case_texts_longer_than_texts_may_be(kafka: Bench) -> None:
    """A text of more than 32,767 bytes closes the connection, in flexible versions too."""
    name = b"\x81\x80\x04" + b"a" * 65_536 + NO_TAGS
    body = NO_TAGS + b"\x02" + name + METADATA_FLAGS + NO_TAGS
    assert all(await hang_ups(kafka, request(METADATA, 9, body)))


@case("Metadata")
async def case_texts_that_are_no_utf_8(kafka: Bench) -> None:
    """Bytes that are no UTF-8 are read as U+FFFD, which is in no topic's name."""
    body = number(1) + text(b"\xff\xfe")
    answer = MetadataResponse.decode(await answer_to(kafka, request(METADATA, 1, body)), version=1)
    (topic,) = answer.topics
    assert (topic.name, topic.error_code) == ("\ufffd\ufffd", INVALID_TOPIC)


@case("Metadata")
async def case_flags_other_than_one(kafka: Bench) -> None:
    """Any byte but 0 is true."""
    body = NO_TAGS + NO_TOPICS + b"\x07\x80\xff" + NO_TAGS
    answer = await answer_to(kafka, request(METADATA, 9, body))
    assert MetadataResponse.decode(answer[1:], version=9).topics == []


@case("Metadata", "ApiVersions")
async def case_negative_versions_and_kinds(kafka: Bench) -> None:
    """A negative version is an unknown one, and a negative kind an unknown kind."""
    assert all(await hang_ups(kafka, request(METADATA, -1, number(0)), request(-1, 0, number(0))))
    answer = await answer_to(kafka, request(API_VERSIONS, -1, b""))
    assert ApiVersionsResponse.decode(answer, version=0).error_code == UNSUPPORTED_VERSION


@case("ApiVersions")
async def case_too_new_api_versions_without_tags(kafka: Bench) -> None:
    """The header of an ApiVersions request that is too new is read all the same."""
    frames = (request(API_VERSIONS, 99, b""), request(API_VERSIONS, 99, ENDLESS))
    assert all(await hang_ups(kafka, *frames))


@case("ApiVersions")
async def case_software_without_a_name(kafka: Bench) -> None:
    """From ApiVersions 3 on clients name their software, in few kinds of letters, or get error 42
    and no table; afterwards they may ask again.
    """
    connection = await kafka.connect()
    for name, version in (("", "1"), ("contract", ""), ("a b", "1"), ("-a", "1"), ("a", "1;")):
        named = ApiVersionsRequest(client_software_name=name, client_software_version=version)
        connection.send(named, 3)
        _correlation_id, error, kinds = struct.unpack_from(">ihb", await connection.frame())
        assert (error, kinds) == (INVALID_REQUEST, EMPTY_ARRAY)
    assert (await connection.ask(ApiVersionsRequest(), 0)).error_code == 0


@case("ApiVersions")
async def case_other_protocols(kafka: Bench) -> None:
    """HTTP and TLS are no Kafka; the connection is closed."""
    tls = bytes.fromhex("16030100a5010000a10303") + bytes(200)
    assert all(await hang_ups(kafka, b"GET / HTTP/1.1\r\n\r\n", tls))
