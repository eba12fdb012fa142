"""Who coordinates a group."""

from kafka.protocol.metadata import FindCoordinatorRequest

from tests.contract.bench import Bench
from tests.contract.registry import case
from tests.contract.waiting import eventually

GROUP = 0
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
