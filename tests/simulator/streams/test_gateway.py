"""The gateway against a broker: what was submitted lands, in order, and the ledger knows where."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import cast

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from station_sim.brokers import Broker, TopicSpec, kafka_is_required, open_broker, why_no_kafka
from station_sim.clock import run_virtual
from station_sim.errors import LabError
from station_sim.streams.driver import RecordDriver, StoryClock
from station_sim.streams.gateway import Gateway
from station_sim.streams.imperfections import Imperfections
from station_sim.streams.ledger import Entry, Fate, Ledger
from station_sim.streams.record import Record
from station_sim.streams.telling import Telling
from station_sim.streams.uplinks import Producers
from station_sim.world.charging_network import Network
from station_sim.world.profile import Profile

TOPICS = (
    "SCHEDULE-STATION-PARAM",
    "SCHEDULE-ENVIRONMENT-CALENDAR",
    "SCHEDULE-CAR-PRICE",
    "REAL-STATION-DATA",
)
Story = Callable[[Broker], Awaitable[None]]
EPOCH_MS = 1_772_294_400_000


def on_virtual(story: Story) -> None:
    async def main() -> None:
        async with open_broker("virtual") as broker:
            await story(broker)

    run_virtual(main, seed=3)


def a_record(number: int, station: str | None, topic: str = "T") -> Record:
    stations = () if station is None else (station,)
    at_ms, value = 100 * number, orjson.dumps({"n": number})
    return Record(at_ms, at_ms, topic, station, value, EPOCH_MS + at_ms, stations)


async def landed(broker: Broker, topic: str, partitions: int) -> dict[int, list[tuple[int, bytes]]]:
    """Per partition, (timestamp, value) of everything in the log, from offset 0."""
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        found: dict[int, list[tuple[int, bytes]]] = {number: [] for number in range(partitions)}
        while any(len(found[place.partition]) < ends[place] for place in places):
            for place, records in (await consumer.getmany(timeout_ms=500)).items():
                found[place.partition] += [(each.timestamp, each.value) for each in records]
        return found
    finally:
        await consumer.stop()


def as_landed(entry: Entry) -> tuple[int, bytes]:
    return entry.timestamp_ms, entry.wire


async def ledger_and_log_agree(broker: Broker, ledger: Ledger, topic: str, partitions: int) -> None:
    for number, records in (await landed(broker, topic, partitions)).items():
        entries = ledger.in_partition(topic, number)
        assert [entry.offset for entry in entries] == list(range(len(records)))
        assert [as_landed(entry) for entry in entries] == records


async def a_world_lands(broker: Broker, producers: Producers, pace: float = 1.0) -> None:
    profile = Profile(stations=6, guns_per_station=4, seed=2)
    for topic in TOPICS:
        await broker.make_topics(TopicSpec(topic, partitions=3))
    ledger, clock = Ledger(), StoryClock(profile.epoch_s, pace)
    gateway = Gateway(broker.bootstrap, ledger, clock=clock, producers=producers)
    stories = list(Network(profile).stories())
    telling = Telling(stories, profile, topics=TOPICS, layer=Imperfections.none())
    async with gateway:
        driver = RecordDriver(telling.records(300_000), clock, gateway.submit)
        await driver.drive(300.0)
    assert {"REAL-STATION-DATA": 120} == {
        topic: counts["acknowledged"]
        for topic, counts in ledger.counts().items()
        if topic == "REAL-STATION-DATA"
    }
    for topic in TOPICS:
        await ledger_and_log_agree(broker, ledger, topic, 3)
    for station in ledger.stations("REAL-STATION-DATA"):
        entries = ledger.of_station(station, "REAL-STATION-DATA")
        assert 20 == len(entries)
        assert sorted(entry.seq for entry in entries) == [entry.seq for entry in entries]


@pytest.mark.parametrize("producers", ["gateway", "per-station"])
def test_a_world_lands_in_virtual_time(producers: Producers) -> None:
    on_virtual(lambda broker: a_world_lands(broker, producers))


@pytest.mark.kafka
@pytest.mark.parametrize("producers", ["gateway", "per-station"])
def test_a_world_lands_on_apache_kafka(producers: Producers) -> None:
    missing = why_no_kafka("jvm")
    if missing is not None and not kafka_is_required():
        pytest.skip(missing)

    async def main() -> None:
        async with open_broker("jvm") as broker:
            await a_world_lands(broker, producers, pace=100.0)

    asyncio.run(main())


def test_records_wait_for_company_as_long_as_the_linger() -> None:
    async def story(broker: Broker) -> None:
        await broker.make_topics(TopicSpec("T", partitions=1))
        ledger, clock = Ledger(), StoryClock(0.0)
        async with Gateway(broker.bootstrap, ledger, clock=clock, linger_ms=1000) as gateway:
            began = clock.story_s()
            for number in range(30):
                gateway.submit(a_record(number, "a"))
                await asyncio.sleep(0.1)
            await gateway.flush()
        sent = sorted({entry.sent_s for entry in ledger.entries if entry.sent_s is not None})
        assert [1.0, 2.1, 3.0] == [pytest.approx(at_s - began, abs=0.11) for at_s in sent]
        await ledger_and_log_agree(broker, ledger, "T", 1)

    on_virtual(story)


def test_held_records_come_late_shuffled_and_with_their_own_times() -> None:
    async def story(broker: Broker) -> None:
        await broker.make_topics(TopicSpec("T", partitions=1))
        ledger = Ledger()
        async with Gateway(broker.bootstrap, ledger, clock=StoryClock(0.0)) as gateway:
            with gateway.hold(lambda each: orjson.loads(each.value)["n"] < 10, shuffle=Random(5)):
                for number in range(20):
                    gateway.submit(a_record(number, "a"))
                await gateway.flush()
                assert {Fate.HELD} == {entry.fate for entry in ledger.entries[:10]}
            gateway.submit(a_record(20, "a"))
        await ledger_and_log_agree(broker, ledger, "T", 1)
        order = [entry.value["n"] for entry in ledger.of_station("a", "T")]
        assert [*range(10, 20), 20] == order[:10] + order[-1:]
        assert list(range(10)) == sorted(order[10:-1]) != order[10:-1]
        assert {Fate.LATE} == {entry.fate for entry in ledger.entries[:10]}

    on_virtual(story)


def test_keyless_records_keep_their_order_in_partition_0() -> None:
    async def story(broker: Broker) -> None:
        await broker.make_topics(TopicSpec("T", partitions=3))
        ledger = Ledger()
        async with Gateway(broker.bootstrap, ledger, clock=StoryClock(0.0)) as gateway:
            for number in range(10):
                gateway.submit(a_record(number, None))
                await gateway.flush()
        assert list(range(10)) == [entry.value["n"] for entry in ledger.in_partition("T", 0)]

    on_virtual(story)


def test_more_than_a_batch_of_records_at_once_lands_in_order() -> None:
    async def story(broker: Broker) -> None:
        await broker.make_topics(TopicSpec("T", partitions=1))
        ledger = Ledger()
        async with Gateway(broker.bootstrap, ledger, clock=StoryClock(0.0)) as gateway:
            for number in range(200):
                value = orjson.dumps({"n": number, "filler": "x" * 10_000})
                gateway.submit(Record(0, 0, "T", "a", value, EPOCH_MS, ("a",)))
        assert list(range(200)) == [entry.value["n"] for entry in ledger.in_partition("T", 0)]
        await ledger_and_log_agree(broker, ledger, "T", 1)

    on_virtual(story)


def test_a_broker_that_is_away_a_while_costs_nothing_but_time() -> None:
    async def story(broker: Broker) -> None:
        await broker.make_topics(TopicSpec("T", partitions=2))
        ledger = Ledger()
        async with Gateway(broker.bootstrap, ledger, clock=StoryClock(0.0)) as gateway:
            for number in range(400):
                if number == 100:
                    await broker.stop()
                if number == 300:
                    await broker.start()
                gateway.submit(a_record(number, f"s{number % 7}"))
                await asyncio.sleep(1.0)
            await gateway.flush(300.0)
        assert {"T": {"sent": 400, "acknowledged": 400}} == ledger.counts()
        await ledger_and_log_agree(broker, ledger, "T", 2)

    on_virtual(story)


def test_flush_and_close_give_up_when_the_broker_is_gone() -> None:
    async def story(broker: Broker) -> None:
        await broker.make_topics(TopicSpec("T", partitions=1))
        ledger = Ledger()
        gateway = Gateway(broker.bootstrap, ledger, clock=StoryClock(0.0))
        await gateway.start()
        gateway.submit(a_record(1, "a"))
        await gateway.flush()
        await broker.stop()
        gateway.submit(a_record(2, "a"))
        with pytest.raises(LabError, match="1 records not acknowledged within 5"):
            await gateway.flush(5.0)
        with pytest.raises(LabError, match="not acknowledged within 3"):
            await gateway.close(3.0)
        await gateway.close()
        with pytest.raises(LabError, match="is not open"):
            gateway.submit(a_record(3, "a"))

    on_virtual(story)


def test_nobody_at_the_address_is_one_line() -> None:
    async def main() -> None:
        with pytest.raises(LabError, match="no Kafka answers at nowhere:9092"):
            await Gateway("nowhere:9092", Ledger(), clock=StoryClock(0.0)).start()

    run_virtual(main)


def test_a_gateway_is_asked_for_properly() -> None:
    async def main() -> None:
        clock = StoryClock(0.0)
        with pytest.raises(LabError, match="linger_ms must be >= 0, got -1"):
            Gateway("localhost:1", Ledger(), clock=clock, linger_ms=-1)
        with pytest.raises(LabError, match="producers must be gateway or per-station, got many"):
            Gateway("localhost:1", Ledger(), clock=clock, producers=cast(Producers, "many"))

    run_virtual(main)
