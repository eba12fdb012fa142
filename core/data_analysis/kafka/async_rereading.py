"""Reads records once more, on the running loop, over a connection of its own and without a group.

What is read, and what becomes of it, is decided in `data_analysis.kafka.warm_start`.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from data_analysis.kafka.async_consumer import FETCH_TICK_MS, close_whole
from data_analysis.kafka.async_fetching import Fetching
from data_analysis.kafka.errors import CLIENT_ERRORS, unanswered
from data_analysis.kafka.options import KafkaOptions
from data_analysis.kafka.requests import FirstSince, LogRange, Wait
from data_analysis.kafka.warm_start import CLIENT_ID, FETCHING, Asking

ROUND_MS = 1_000
"""How long one look for records waits."""


class Rereader:
    """Answers what a warm start asks for.

    Args:
        options: where Kafka is.
        lives: called now and then, to say to the group that its member lives.
    """

    def __init__(self, options: KafkaOptions, lives: Callable[[], None]) -> None:
        self._options = options
        self._lives = lives
        self._client: Any = None
        self._next: dict[TopicPartition, int] = {}

    async def drive(self, asking: Asking) -> None:
        """Answer until there are no more questions."""
        try:
            request = next(asking)
            while True:
                self._lives()
                try:
                    answer = await self._answer(request)
                except CLIENT_ERRORS as error:
                    await self.close()
                    request = asking.throw(unanswered(error))
                else:
                    request = asking.send(answer)
        except StopIteration:
            return

    async def close(self) -> None:
        """Disconnect; the next question connects."""
        client, self._client = self._client, None
        self._next = {}
        if client is not None:
            await close_whole(client)

    async def _answer(self, request: Any) -> Any:
        if isinstance(request, Wait):
            return await asyncio.sleep(request.seconds)
        client = await self._connected()
        if isinstance(request, LogRange):
            tp = TopicPartition(*request.tp)
            start = (await client.beginning_offsets([tp]))[tp]
            return start, (await client.end_offsets([tp]))[tp]
        if isinstance(request, FirstSince):
            tp = TopicPartition(*request.tp)
            found = (await client.offsets_for_times({tp: request.timestamp_ms}))[tp]
            return None if found is None else (int(found.offset), int(found.timestamp))
        return await self._read(client, request.offsets)

    async def _read(self, client: Any, offsets: Mapping[Any, int]) -> Mapping[Any, Any]:
        tps = {TopicPartition(*tp): offset for tp, offset in offsets.items()}
        if not self._next.keys() >= tps.keys():
            client.assign(list(tps))
            self._next = {}
        for tp, offset in tps.items():
            if self._next.get(tp) != offset:
                client.seek(tp, offset)
        records = await client.getmany(*tps, timeout_ms=ROUND_MS)
        for tp in tps:
            self._next[tp] = await client.position(tp)
        return {tuple(tp): (records.get(tp, ()), self._next[tp]) for tp in tps}

    async def _connected(self) -> Any:
        if self._client is None:
            client = AIOKafkaConsumer(
                group_id=None,
                client_id=CLIENT_ID,
                enable_auto_commit=False,
                auto_offset_reset="none",
                consumer_timeout_ms=FETCH_TICK_MS,
                max_poll_records=self._options.max_poll_records,
                **{**self._options.consumer, **FETCHING},
            )
            try:
                await client.start()
            except BaseException:
                await client.stop()
                raise
            Fetching(client).lighten(True)
            self._client = client
        return self._client
