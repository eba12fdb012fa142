"""The life of a service that the command line runs: start, serve, reload and drain at signals."""

import asyncio
import copy
import logging
import signal
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_analysis.async_service import AsyncDataAnalysisService
from data_analysis.commands.config_file import read_config_file
from data_analysis.errors import ConfigurationError, DataAnalysisError
from data_analysis.kafka.options import checked_shape

logger = logging.getLogger("data_analysis.serve")

LOOK_SECONDS = 1.0
"""How often it is looked at whether the service lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the command line asks for."""

    callback: Callable[..., Any]
    config_path: Path | None = None
    module_name: str | None = None
    group_id: str | None = None
    bootstrap: str | None = None
    metrics_port: int | None = None
    metrics_host: str = "127.0.0.1"
    instance_id: str | None = None
    threads: int | None = None
    warm_start: bool = False
    window_form: str = "list"
    coalesce: bool = False


async def serve_until_told(order: Order) -> signal.Signals:
    """Run the service until SIGTERM or SIGINT, then drain it; returns the signal.

    Raises:
        ConfigurationError: the configuration is not valid.
        KafkaConnectionError: Kafka cannot be reached.
        DataAnalysisError: the service has ended by itself.
    """
    config = read_config_file(order.config_path)
    service = AsyncDataAnalysisService(
        order.module_name,
        kafka_config=kafka_config(config.KAFKA_CONFIG, order),
        config=config,
        instance_id=order.instance_id,
        warm_start=order.warm_start,
        window_form=order.window_form,
        coalesce=order.coalesce,
        **_places(order),
    )
    ended: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _end, ended, number)
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGHUP, _reload, service, config, order.config_path
    )
    with ExitStack() as stack:
        if order.metrics_port is not None:
            from data_analysis.commands.probes import serve_probes

            probes = serve_probes(service, order.metrics_host, order.metrics_port)
            logger.info("metrics at http://%s:%d", order.metrics_host, stack.enter_context(probes))
        starting = asyncio.create_task(service.start(callback=order.callback))
        ended.add_done_callback(lambda _: starting.cancel())
        try:
            await starting
        except asyncio.CancelledError:
            return await ended
        logger.info("serving %s", ", ".join(service.topics))
        while not ended.done() and service.health()["live"]:
            await asyncio.wait([ended], timeout=LOOK_SECONDS)
        if not ended.done():
            reason = service.health()["reason"]
            await service.stop()
            raise DataAnalysisError(reason)
        number = await ended
        logger.info("draining after %s", number.name)
        await service.stop()
    return number


def kafka_config(config: Mapping[str, Any], order: Order) -> dict[str, Any]:
    """Return a Kafka configuration with what the command line says in place of the file's.

    Raises:
        ConfigurationError: the configuration or a section of it is no dict.
    """
    changed = copy.deepcopy(dict(checked_shape(config)))
    if order.bootstrap is not None:
        servers = [server.strip() for server in order.bootstrap.split(",")]
        for section in (changed, changed.get("consumer", {}), changed.get("producer", {})):
            if section is changed or "bootstrap_servers" in section:
                section["bootstrap_servers"] = servers
    if order.group_id is not None:
        changed.setdefault("consumer", {})["group_id"] = order.group_id
    return changed


def _places(order: Order) -> dict[str, Any]:
    if order.threads is None:
        return {}
    return {"run_callbacks_in": "threads", "max_workers": order.threads}


def _reload(service: AsyncDataAnalysisService, config: Any, path: Path | None) -> None:
    """Read the configuration anew; one that is not valid is told, and changes nothing."""
    before = {} if path is None else vars(config).copy()
    try:
        if path is not None:
            vars(config).update(_edited(path, config.KAFKA_CONFIG))
        service.reload_config()
    except ConfigurationError as error:
        if path is not None:
            vars(config).update(before)
        logger.error("the configuration stays as it was: %s", error)
    else:
        logger.info("configuration reloaded; serving %s", ", ".join(service.topics))


def _edited(path: Path, kafka: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = vars(read_config_file(path))
    if found["KAFKA_CONFIG"] != kafka:
        raise ConfigurationError(
            f"{path} says another KAFKA_CONFIG, which a reload cannot apply; restart the service"
        )
    return found


def _end(ended: "asyncio.Future[signal.Signals]", number: signal.Signals) -> None:
    if not ended.done():
        ended.set_result(signal.Signals(number))
