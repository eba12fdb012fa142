"""How clients get over a broker's stop and start."""

from tests.contract.bench import Bench
from tests.contract.cases.restarts import restart
from tests.contract.clients.client import Client, read
from tests.contract.clients.terms import Committed, Refused, Where
from tests.contract.registry import client_case
from tests.contract.waiting import eventually

COORDINATOR_AWAY = (14, 15, 16)


@client_case("Produce", "Fetch", "JoinGroup", "Heartbeat")
async def case_clients_get_over_a_restart(kafka: Bench, client: Client) -> None:
    """A producer and a group's consumer that live through a restart go on without help."""
    where = Where(await kafka.topic(), 0)
    producer = await client.producer(idempotent=True)
    consumer = await client.consumer(where.topic, group=kafka.name("g"))
    await producer.send(where.topic, b"before")
    assert [b"before"] == [record.value for record in await read(consumer, 1)]
    await restart(kafka)
    await producer.send(where.topic, b"after")
    found = await read(consumer, 1, deadline_s=60.0)
    assert [(1, b"after")] == [(record.offset, record.value) for record in found]

    async def is_committed() -> bool:
        try:
            await consumer.commit({where: Committed(2)})
        except Refused as refused:  # librdkafka looks for its coordinator after the refusal alone
            if refused.code not in COORDINATOR_AWAY:
                raise
            return False
        return True

    await eventually(is_committed, what="commit")
