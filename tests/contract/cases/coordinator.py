"""Who coordinates a group."""

from kafka.protocol.metadata import FindCoordinatorRequest

from tests.contract.bench import Bench
from tests.contract.clients.client import Client
from tests.contract.registry import case, client_case
from tests.contract.waiting import eventually

GROUP, TRANSACTION = 0, 1
INVALID_REQUEST = 42
UNKNOWN_KEY_TYPE = 9
SINCE_SEVERAL_KEYS = 4


@case("FindCoordinator")
async def case_coordinator_every_version(kafka: Bench) -> None:
    """FindCoordinator names the broker at every version it advertises."""
    host, _, port = kafka.bootstrap.rpartition(":")
    group = kafka.name("g")
    for version in await kafka.versions(FindCoordinatorRequest):

        async def found(version: int = version) -> bool:
            request = FindCoordinatorRequest(key=group, key_type=GROUP, coordinator_keys=[group])
            answer = await kafka.wire.ask(request, version)
            one = answer.coordinators[0] if version >= SINCE_SEVERAL_KEYS else answer
            return bool((one.error_code, one.host, one.port) == (0, host, int(port)))

        await eventually(found)


@case("FindCoordinator")
async def case_coordinator_of_several_groups(kafka: Bench) -> None:
    """Newer versions answer for several groups at once, each under its key."""
    groups = [kafka.name("a"), kafka.name("b")]

    async def found() -> bool:
        request = FindCoordinatorRequest(key_type=GROUP, coordinator_keys=groups)
        answer = await kafka.wire.ask(request, SINCE_SEVERAL_KEYS)
        assert [one.key for one in answer.coordinators] == groups
        return all(one.error_code == 0 for one in answer.coordinators)

    await eventually(found)


@case("FindCoordinator")
async def case_coordinator_of_an_unknown_kind(kafka: Bench) -> None:
    """A coordinator of a kind that does not exist is error 42."""
    request = FindCoordinatorRequest(key=kafka.name("g"), key_type=UNKNOWN_KEY_TYPE)
    assert (await kafka.wire.ask(request, 1)).error_code == INVALID_REQUEST


@case("FindCoordinator")
async def case_coordinator_of_a_transactional_id(kafka: Bench) -> None:
    """Transactional ids have a coordinator too, which is the broker."""
    host, _, port = kafka.bootstrap.rpartition(":")

    async def found() -> bool:
        request = FindCoordinatorRequest(
            key_type=TRANSACTION, coordinator_keys=[kafka.name("p"), kafka.name("q")]
        )
        answer = await kafka.wire.ask(request, SINCE_SEVERAL_KEYS)
        assert [one.key for one in answer.coordinators] == [kafka.name("p"), kafka.name("q")]
        return all(
            (one.error_code, one.host, one.port) == (0, host, int(port))
            for one in answer.coordinators
        )

    await eventually(found)


@case("FindCoordinator")
async def case_coordinator_of_nobody(kafka: Bench) -> None:
    """Newer versions that are asked for no key answer for none."""
    request = FindCoordinatorRequest(key_type=GROUP, coordinator_keys=[])
    answer = await kafka.wire.ask(request, SINCE_SEVERAL_KEYS)
    assert [] == list(answer.coordinators)


@client_case("FindCoordinator", "DescribeGroups")
async def case_client_finds_the_coordinator(kafka: Bench, client: Client) -> None:
    """A client that asks after a group without members or commits finds it dead, at its
    coordinator.
    """
    admin = await client.admin()
    assert ("Dead", 0) == await admin.group(kafka.name("g"))
