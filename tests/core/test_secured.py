"""Both services log in: SASL/PLAIN and SCRAM."""

import asyncio
import json
import time
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from data_analysis import AsyncDataAnalysisService, DataAnalysisService, KafkaConnectionError
from station_sim.brokers import TopicSpec, open_broker
from station_sim.clock import run_virtual
from tests.core.world import CALENDAR, DATA, OUTPUT, small_config

USERS = {"analysis": "a long secret"}
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


def _options(broker: Any, mechanism: str, password: str) -> dict[str, Any]:
    login = {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": mechanism,
        "sasl_plain_username": "analysis",
        "sasl_plain_password": password,
    }
    kafka = {
        "consumer": {
            "bootstrap_servers": [broker.bootstrap],
            "group_id": "secured",
            "auto_offset_reset": "earliest",
            **login,
        },
        "producer": {"bootstrap_servers": [broker.bootstrap], **login},
    }
    return {
        "module_name": "load_prediction",
        "kafka_config": kafka,
        "config": small_config(),
    }


async def _prepare(broker: Any) -> None:
    names = (DATA, CALENDAR, OUTPUT)
    await broker.make_topics(*(TopicSpec(name, 1, config={"retention.ms": "-1"}) for name in names))
    async with AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_plain_username="analysis",
        sasl_plain_password=USERS["analysis"],
    ) as producer:
        value = json.dumps({"stationId": "A", "timestamp": "t", "totalPower": 1.0}).encode()
        await producer.send_and_wait(DATA, value)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_both_services_log_in(mechanism: str) -> None:
    async def world() -> tuple[int, int]:
        async with open_broker("virtual", users=USERS) as broker:
            await _prepare(broker)
            options = _options(broker, mechanism, USERS["analysis"])
            service = AsyncDataAnalysisService(**options)
            await service.start(lambda station_id, module_input: {})
            async with asyncio.timeout(60):
                while service.engine.counters.results_uploaded < 1:
                    await asyncio.sleep(0.1)
            await service.stop()
            options["kafka_config"]["consumer"]["group_id"] = "secured-too"
            blocking = await asyncio.to_thread(_run_blocking, options)
            return service.engine.counters.results_uploaded, blocking

    assert (1, 1) == run_virtual(world, seed=1)


def _run_blocking(options: dict[str, Any]) -> int:
    service = DataAnalysisService(**options)
    service.start(lambda station_id, module_input: {})
    deadline = time.monotonic() + 60
    while service.engine.counters.results_uploaded < 1:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    service.stop()
    return service.engine.counters.results_uploaded


def test_a_wrong_password_is_one_clear_error_that_does_not_show_it() -> None:
    async def world() -> None:
        async with open_broker("virtual", users=USERS) as broker:
            await _prepare(broker)
            service = DataAnalysisService(**_options(broker, "PLAIN", "wrong"))
            with pytest.raises(KafkaConnectionError, match="connecting a producer") as met:
                await asyncio.to_thread(service.start, print)
            assert "wrong" not in str(met.value)

    run_virtual(world, seed=1)
