"""Answers of fetches have the bytes that the generated codec gives, whatever is in them."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.protocol.consumer import FetchResponse

from station_sim.kafka.requests.fetch_encoding import VERSIONS, encode
from station_sim.kafka.requests.registry import KINDS_BY_NAME

_TOPIC = FetchResponse.FetchableTopicResponse
_PARTITION = _TOPIC.PartitionData

INT16 = st.integers(-(2**15), 2**15 - 1)
INT32 = st.integers(-(2**31), 2**31 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)

aborted = st.builds(_PARTITION.AbortedTransaction, producer_id=INT64, first_offset=INT64)
batches = st.lists(st.binary(max_size=200), max_size=4)
tagged = st.fixed_dictionaries(
    {},
    optional={
        "diverging_epoch": st.builds(_PARTITION.EpochEndOffset, epoch=INT32, end_offset=INT64),
        "current_leader": st.builds(
            _PARTITION.LeaderIdAndEpoch, leader_id=INT32, leader_epoch=INT32
        ),
        "snapshot_id": st.builds(_PARTITION.SnapshotId, end_offset=INT64, epoch=INT32),
    },
)
partitions = st.builds(
    lambda tags, **fields: _PARTITION(**fields, **tags),
    tags=st.just({}) | tagged,
    partition_index=INT32,
    error_code=INT16,
    high_watermark=INT64,
    last_stable_offset=INT64,
    log_start_offset=INT64,
    aborted_transactions=st.none() | st.lists(aborted, max_size=130),
    preferred_read_replica=INT32,
    records=st.none() | st.binary(max_size=200) | batches,
)
topics = st.builds(
    _TOPIC,
    topic=st.text(st.characters(codec="utf-8"), max_size=150),
    topic_id=st.none() | st.uuids().filter(lambda each: each != uuid.UUID(int=0)),
    partitions=st.lists(partitions, max_size=3),
)
endpoints = st.builds(
    FetchResponse.NodeEndpoint,
    node_id=INT32,
    host=st.text("abc", max_size=5),
    port=INT32,
    rack=st.none() | st.text("abc", max_size=5),
)
responses = st.builds(
    FetchResponse,
    throttle_time_ms=INT32,
    error_code=INT16,
    session_id=INT32,
    responses=st.lists(topics, max_size=3),
    node_endpoints=st.just([]) | st.lists(endpoints, max_size=2),
)


def with_records(response: Any, change: Callable[[Any], Any]) -> None:
    """Put what `change` makes of the records of every partition in their place."""
    for topic in response.responses:
        for answer in topic.partitions:
            answer.records = change(answer.records)


def joined(records: Any) -> Any:
    """Batches as the generated codec wants them: bytes."""
    return b"".join(records) if isinstance(records, list) else records


@given(response=responses, version=st.integers(*VERSIONS))
def test_encoding_is_that_of_the_generated_codec(response: Any, version: int) -> None:
    ours = b"".join(encode(response, version))
    with_records(response, joined)
    assert bytes(response.encode(version=version)) == ours


def test_every_version_that_is_spoken_is_encoded_here() -> None:
    assert KINDS_BY_NAME["Fetch"].versions == VERSIONS


@pytest.mark.parametrize("version", range(VERSIONS[0], VERSIONS[1] + 1))
def test_batches_are_not_copied(version: int) -> None:
    batch = bytes(1000)
    topic = _TOPIC(topic="T", partitions=[_PARTITION(records=[batch, batch])])
    pieces = encode(FetchResponse(responses=[topic]), version)
    assert 2 == sum(piece is batch for piece in pieces)
