"""A client that sends single requests and frames, for what real clients never send."""

import asyncio
import struct
from typing import Any

from kafka.protocol.consumer import FetchRequest, FetchResponse
from kafka.protocol.producer import ProduceRequest, ProduceResponse

CLIENT_ID = "raw"


class RawClient:
    """One connection; use as `async with RawClient.connect(broker) as client`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._correlation_id = 0

    @classmethod
    async def connect(cls, cluster: Any) -> "RawClient":
        """Connect to a broker."""
        node = cluster.controller
        return cls(*await asyncio.open_connection(node.advertised_host, node.port))

    async def __aenter__(self) -> "RawClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)

    def send(self, request: Any, version: int) -> None:
        """Send a request without waiting."""
        self._correlation_id += 1
        request.API_VERSION = version
        request.with_header(self._correlation_id, CLIENT_ID)
        self.write(bytes(request.encode(header=True, framed=True)))

    async def receive(self, response_class: Any, version: int) -> Any:
        """The next answer; raises `asyncio.IncompleteReadError` if the connection was closed."""
        (size,) = struct.unpack(">i", await self._reader.readexactly(4))
        frame = await self._reader.readexactly(size)
        return response_class.decode(frame, version=version, header=True)

    async def ask(self, request: Any, response_class: Any, version: int) -> Any:
        """Send a request and wait for its answer."""
        self.send(request, version)
        return await self.receive(response_class, version)

    async def is_closed(self) -> bool:
        """Whether the broker closes the connection instead of sending something."""
        try:
            return await self._reader.read(1) == b""
        except ConnectionError:
            return True

    async def produce(
        self, topic: str, partitions: dict[int, bytes], *, acks: int = 1, version: int = 8
    ) -> dict[int, Any]:
        """Send one batch for each partition; returns the answers by partition."""
        answer = await self.ask(
            produce_request(topic, partitions, acks=acks), ProduceResponse, version
        )
        return {p.index: p for t in answer.responses for p in t.partition_responses}

    async def fetch(self, topic: str, offsets: dict[int, int], **options: Any) -> dict[int, Any]:
        """Fetch from partitions at offsets; returns the answers by partition."""
        version = options.pop("version", 11)
        answer = await self.ask(fetch_request(topic, offsets, **options), FetchResponse, version)
        return {p.partition_index: p for t in answer.responses for p in t.partitions}


def produce_request(topic: str, partitions: dict[int, bytes], *, acks: int = 1) -> Any:
    """A Produce request for one topic."""
    topic_class = ProduceRequest.TopicProduceData
    data = [
        topic_class.PartitionProduceData(index=index, records=records)
        for index, records in partitions.items()
    ]
    return ProduceRequest(
        acks=acks,
        timeout_ms=1000,
        transactional_id=None,
        topic_data=[topic_class(name=topic, partition_data=data)],
    )


def fetch_request(
    topic: str,
    offsets: dict[int, int],
    *,
    max_wait_ms: int = 0,
    min_bytes: int = 1,
    max_bytes: int = 1 << 20,
    partition_max_bytes: int = 1 << 20,
    session_id: int = 0,
    session_epoch: int = -1,
    leader_epoch: int = -1,
) -> Any:
    """A Fetch request for one topic."""
    topic_class = FetchRequest.FetchTopic
    partitions = [
        topic_class.FetchPartition(
            partition=index,
            fetch_offset=offset,
            partition_max_bytes=partition_max_bytes,
            current_leader_epoch=leader_epoch,
        )
        for index, offset in offsets.items()
    ]
    return FetchRequest(
        max_wait_ms=max_wait_ms,
        min_bytes=min_bytes,
        max_bytes=max_bytes,
        session_id=session_id,
        session_epoch=session_epoch,
        topics=[topic_class(topic=topic, partitions=partitions)],
    )
