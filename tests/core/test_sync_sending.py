"""Records that go to kafka-python's producer together fare as if each had been sent alone."""

from collections.abc import Callable
from typing import Any

import pytest
from kafka.errors import IllegalStateError, MessageSizeTooLargeError

from data_analysis import KafkaProducerClient
from data_analysis.effects import Upload
from data_analysis.kafka.sync_sending import Sent
from station_sim.brokers import TopicSpec
from tests.core.blocking_world import BlockingWorld, in_blocking_world

TOPIC = "SENT"


def _sent(number: int, *, more_bytes: int = 0) -> Sent:
    value = str(number).encode() + b" " * more_bytes
    headers = (("number", value[:9]),) if number % 2 else ()
    return Sent(Upload(TOPIC, f"K{number}".encode(), value, 1_000 + number, headers, None))


def _seen(world: BlockingWorld) -> list[tuple[Any, ...]]:
    """What the topic has: key, number, time and headers."""
    return [
        (each.key, int(each.value), each.timestamp, tuple(each.headers))
        for each in world.sent(TOPIC)
    ]


def _shown(sent: Sent) -> tuple[Any, ...]:
    record = sent.record
    return record.key, int(record.value), record.timestamp_ms, tuple(record.headers)


def _with_producer(
    story: Callable[[BlockingWorld, KafkaProducerClient], None],
    topic_config: dict[str, str],
    **options: Any,
) -> None:
    def with_producer(world: BlockingWorld) -> None:
        world.ask(world.broker.make_topics(TopicSpec(TOPIC, 1, config=topic_config)))
        client = KafkaProducerClient({**world.kafka_config(), **options})
        try:
            client.partitions(TOPIC)
            story(world, client)
        finally:
            client.close()

    in_blocking_world(with_producer)


def test_records_arrive_whole_and_in_order_and_are_told_of_once() -> None:
    def story(world: BlockingWorld, client: KafkaProducerClient) -> None:
        told: list[Sent] = []
        records = [_sent(number) for number in range(300)]
        for some in (records[:10], records[10:250], records[250:]):
            assert [] == client.begin(TOPIC, 0, some, told.extend)
        client.wake()
        world.until(lambda: len(told) >= 300)
        assert records == told
        assert {None} == {each.error for each in told}
        assert [_shown(each) for each in records] == _seen(world)

    _with_producer(story, {}, batch_size=1_000)


def test_a_batch_that_kafka_finds_too_large_is_split_and_only_what_never_fits_is_lost() -> None:
    def story(world: BlockingWorld, client: KafkaProducerClient) -> None:
        told: list[Sent] = []
        records = [_sent(n, more_bytes=500 if n == 5 else 0) for n in range(12)]
        client.begin(TOPIC, 0, records, told.extend)
        client.wake()
        world.until(lambda: len(told) >= 12)
        assert sorted(map(id, records)) == sorted(map(id, told)), "each is told of once"
        lost = [each for each in records if each.error is not None]
        assert [records[5]] == lost
        assert isinstance(lost[0].error, MessageSizeTooLargeError)
        # kafka-python sends the second half while it splits the first one further.
        assert sorted(_shown(each) for each in records if each not in lost) == sorted(_seen(world))

    _with_producer(story, {"max.message.bytes": "200"}, acks=1)


@pytest.mark.parametrize("number", [4, 5], ids=["plain", "with headers"])
def test_a_record_larger_than_a_request_is_refused_alone(number: int) -> None:
    def story(world: BlockingWorld, client: KafkaProducerClient) -> None:
        told: list[Sent] = []
        large = _sent(number, more_bytes=2_000_000)
        records = [_sent(0), large, _sent(6)]
        ((refused, error),) = client.begin(TOPIC, 0, records, told.extend)
        client.wake()
        world.until(lambda: len(told) == 2)
        assert large is refused
        assert isinstance(error, MessageSizeTooLargeError)
        assert [records[0], records[2]] == told
        assert [0, 6] == [seen[1] for seen in _seen(world)]

    _with_producer(story, {})


def test_a_closed_producer_takes_nothing() -> None:
    def story(world: BlockingWorld, client: KafkaProducerClient) -> None:
        client.close()
        with pytest.raises(IllegalStateError):
            client.begin(TOPIC, 0, [_sent(1)], lambda _: None)
        client.wake()
        assert [] == world.sent(TOPIC)

    _with_producer(story, {})
