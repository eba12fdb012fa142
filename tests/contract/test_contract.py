"""Every contract case on every broker, through every client: the simulated Kafka is right where
Apache Kafka agrees.
"""

from collections.abc import Callable, Iterator

import pytest

from tests.contract.registry import Case, all_cases
from tests.contract.worlds import RealTime, clients_on, run_in_virtual_world
from tests.kafka_at_hand import require_kafka

MARKS = {"jvm": [pytest.mark.kafka], "docker": [pytest.mark.kafka, pytest.mark.docker]}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind" not in metafunc.fixturenames:
        return
    combinations = [
        pytest.param(kind, client, case, id=f"{kind}-{client}-{case.name}", marks=marks(kind))
        for kind in metafunc.config.getoption("--broker").split(",")
        for case in all_cases()
        for client in clients_on(case, kind)
    ]
    metafunc.parametrize(("kind", "client", "case"), combinations)


def marks(kind: str) -> list[pytest.MarkDecorator]:
    return MARKS.get(kind, [])


@pytest.fixture(scope="session")
def real_time() -> Iterator[RealTime]:
    brokers = RealTime()
    yield brokers
    brokers.close()


def test_contract(
    kind: str,
    client: str,
    case: Case,
    real_time: RealTime,
    record_property: Callable[[str, object], None],
) -> None:
    record_property("contract", (case.family, case.name, kind, client))
    if kind == "virtual":
        run_in_virtual_world(case, client)
        return
    require_kafka(kind)
    real_time.run(case, kind, client)
