"""The service under load: what its factory is given, and the stand-in for a model.

The service is made as `station-lab run` makes it: the factory is called with keyword arguments of
`data_analysis.AsyncDataAnalysisService` and returns an object with its coroutines `start(callback)`
and `stop()`. That happens in the service's own process (`service_process.py`).

The load run wraps the callback's result to recognise it, so the service must upload what the
callback returns to the module's output topic, once for each record.
"""

import copy
import logging
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from data_analysis import config as default_config
from data_analysis.clock import SystemClock
from station_load.plan import INPUT_TOPIC, MODULE
from station_load.trace import TRACE_FIELDS

Callback = Callable[[str, Any], Any]

DATA_EXPIRE_SECONDS = 600

SAMPLES_PER_HOUR = 240
"""At one sample in 15 seconds."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServiceSetup:
    """What decides a service's part in a load run: the broker's address, a group of its own."""

    bootstrap: str
    group_id: str
    auto_offset_reset: str

    @property
    def options(self) -> dict[str, Any]:
        """The keyword arguments of the service's factory."""
        return {
            "module_name": MODULE,
            "kafka_config": self.kafka_config,
            "data_expire_seconds": DATA_EXPIRE_SECONDS,
            "config": self.config,
            "clock": SystemClock(),
            "on_gap": _tell_gap,
            "window_form": "array",
        }

    @property
    def kafka_config(self) -> dict[str, Any]:
        """`KAFKA_CONFIG` for this broker and group."""
        kafka: dict[str, Any] = copy.deepcopy(default_config.KAFKA_CONFIG)
        kafka["bootstrap_servers"] = [self.bootstrap]
        for client in ("consumer", "producer"):
            kafka[client]["bootstrap_servers"] = [self.bootstrap]
        kafka["consumer"]["group_id"] = self.group_id
        kafka["consumer"]["auto_offset_reset"] = self.auto_offset_reset
        return kafka

    @property
    def config(self) -> SimpleNamespace:
        """The default configuration of the input topic alone, with the trace fields in it."""
        detail = copy.deepcopy(default_config.TOPIC_DETAIL[INPUT_TOPIC])
        detail["fields"] += TRACE_FIELDS
        return SimpleNamespace(
            KAFKA_CONFIG=self.kafka_config,
            TOPIC_DETAIL={INPUT_TOPIC: detail},
            MODULE_DEPENDENCIES={},
            OFFSET_COMMIT_CONFIG=default_config.OFFSET_COMMIT_CONFIG,
            STATION_TIMEZONE=default_config.STATION_TIMEZONE,
        )


def mean_of_last_hour(station_id: str, module_input: Any) -> dict[str, Any]:
    """A stand-in for a model: `totalPower` in kW, its latest value and its mean over an hour.

    Windows may be arrays, or lists with None where nothing has been received yet.
    """
    powers_kw = module_input["totalPower_window"][-SAMPLES_PER_HOUR:]
    if isinstance(powers_kw, list):
        powers_kw = [power_kw for power_kw in powers_kw if power_kw is not None]
    return {
        "stationId": station_id,
        "totalPower": module_input["totalPower"],
        "meanPower": float(np.mean(powers_kw)),
    }


def _tell_gap(gap: Any) -> None:
    logger.warning("the service declared a gap: %s", gap)
