"""What a broker says it speaks, and what it does with what it does not."""

import asyncio
import struct

from kafka.protocol.metadata import ApiVersionsRequest, ApiVersionsResponse

from tests.contract.asking import fetch_request
from tests.contract.bench import Bench
from tests.contract.registry import case

UNSUPPORTED_VERSION = 35
CLIENT = {"client_software_name": "contract", "client_software_version": "1"}

AIOKAFKA_SENDS = {
    0: range(9),  # Produce
    1: range(12),  # Fetch
    2: range(6),  # ListOffsets
    3: range(6),  # Metadata
    8: range(4),  # OffsetCommit
    9: range(4),  # OffsetFetch
    10: range(2),  # FindCoordinator
    11: (0, 1, 2, 5),  # JoinGroup
    12: range(2),  # Heartbeat
    13: range(2),  # LeaveGroup
    14: (0, 1, 3),  # SyncGroup
    19: range(4),  # CreateTopics
    20: range(2),  # DeleteTopics
    21: range(3),  # DeleteRecords
    22: range(2),  # InitProducerId
}
"""The versions that aiokafka 0.14 knows, by api key."""


NO_TAGS = b"\0"


def bare_frame(api_key: int, version: int, correlation_id: int, rest: bytes = b"") -> bytes:
    """A request header without client id, and the rest as given."""
    header = struct.pack(">hhih", api_key, version, correlation_id, -1) + rest
    return struct.pack(">i", len(header)) + header


@case("ApiVersions")
async def case_api_versions_every_version(kafka: Bench) -> None:
    """ApiVersions answers at every version it advertises."""
    for version in await kafka.versions(ApiVersionsRequest):
        answer = await kafka.wire.ask(ApiVersionsRequest(**CLIENT), version)
        assert answer.error_code == 0
        assert ApiVersionsRequest.API_KEY in [kind.api_key for kind in answer.api_keys]


@case("ApiVersions")
async def case_api_versions_too_new(kafka: Bench) -> None:
    """A too new ApiVersions is answered in version 0 with error 35 and the versions of ApiVersions
    that would do, and no other kind.
    """
    kafka.wire.send_bytes(bare_frame(ApiVersionsRequest.API_KEY, 99, 7, NO_TAGS))
    frame = await kafka.wire.frame()
    answer = ApiVersionsResponse.decode(frame, version=0, header=True)
    assert answer.header.correlation_id == 7
    assert answer.error_code == UNSUPPORTED_VERSION
    (spoken,) = answer.api_keys
    assert (spoken.api_key, spoken.min_version) == (ApiVersionsRequest.API_KEY, 0)
    assert spoken.max_version >= 3


@case("ApiVersions")
async def case_api_versions_cover_the_client(kafka: Bench) -> None:
    """The table holds a version that aiokafka speaks, for each kind it sends."""
    answer = await kafka.wire.ask(ApiVersionsRequest(), 0)
    spoken = {
        kind.api_key: range(kind.min_version, kind.max_version + 1) for kind in answer.api_keys
    }
    for kind, used in AIOKAFKA_SENDS.items():
        assert set(used) & set(spoken[kind]), kind


@case("ApiVersions")
async def case_unknown_request_kind_hangs_up(kafka: Bench) -> None:
    """A request kind that nobody knows closes the connection."""
    kafka.wire.send_bytes(bare_frame(12_345, 0, correlation_id=1))
    assert await kafka.wire.hung_up()


@case("Metadata")
async def case_unsupported_version_hangs_up(kafka: Bench) -> None:
    """A version above the table closes the connection, for any kind but ApiVersions."""
    kafka.wire.send_bytes(bare_frame(3, 99, 1, NO_TAGS))
    assert await kafka.wire.hung_up()


@case("ApiVersions")
async def case_frame_in_pieces(kafka: Bench) -> None:
    """A request that arrives byte by byte is answered as one."""
    for byte in bare_frame(ApiVersionsRequest.API_KEY, 0, correlation_id=3):
        kafka.wire.send_bytes(bytes([byte]))
        await asyncio.sleep(0)
    answer = ApiVersionsResponse.decode(await kafka.wire.frame(), version=0, header=True)
    assert answer.header.correlation_id == 3


@case("Fetch", "ApiVersions")
async def case_answers_in_order(kafka: Bench) -> None:
    """Requests of one connection are answered in order: one behind a long poll waits for it."""
    topic = await kafka.topic()
    loop = asyncio.get_running_loop()
    fetching, asking = fetch_request(topic, 0, max_wait_ms=400), ApiVersionsRequest()
    started = loop.time()
    first = kafka.wire.send(fetching, 11)
    second = kafka.wire.send(asking, 0)
    await kafka.wire.answer(fetching, 11, first)
    assert loop.time() - started >= 0.39
    await kafka.wire.answer(asking, 0, second)


@case("ApiVersions")
async def case_transactions_of_the_second_kind_are_told(kafka: Bench) -> None:
    """From version 3 on the answer says that transactions of the second kind are on; from 4 on,
    too, that the broker knows those of the first.
    """
    for version in (3, 4):
        answer = await kafka.wire.ask(ApiVersionsRequest(**CLIENT), version)
        levels = {
            feature.name: (feature.min_version_level, feature.max_version_level)
            for feature in answer.finalized_features
        }
        assert levels["transaction.version"] == (2, 2)
        assert answer.finalized_features_epoch >= 0
        known = {
            feature.name: (feature.min_version, feature.max_version)
            for feature in answer.supported_features
        }
        assert known.get("transaction.version") == (None if version == 3 else (0, 2))
