"""The service under load: what a factory is given, and the factory used when none is named.

`station-lab load --service pkg.mod:factory` calls `factory(setup)` in the service's own process
(`service_process.py`), with its event loop running. It returns a pair:

- the service, not started: anything with `start(callback=...)` and `stop()`, coroutines or not;
- the callback `(station_id, module_input)`, a function or coroutine function.

The load run wraps the callback's result to recognise it, so the service must upload what the
callback returns to the module's output topic, once for each record.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from data_analysis import config as default_config
from station_load.plan import INPUT_TOPIC, MODULE, OUTPUT_TOPIC_PREFIX
from station_load.trace import TRACE_FIELDS

Callback = Callable[[str, Any], Any]


@dataclass(frozen=True)
class ServiceSetup:
    """What a service needs to know to take part in a load run.

    `kafka_config` and `config` are `data_analysis.config`'s, with the broker's address, a group of
    the run's own and the trace fields filled in.
    """

    bootstrap: str
    group_id: str
    auto_offset_reset: str
    module_name: str = MODULE
    input_topic: str = INPUT_TOPIC
    output_topic_prefix: str = OUTPUT_TOPIC_PREFIX

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
        """The default configuration, with the trace fields in the input topic."""
        names = {name: value for name, value in vars(default_config).items() if name.isupper()}
        config = SimpleNamespace(**copy.deepcopy(names))
        config.KAFKA_CONFIG = self.kafka_config
        config.TOPIC_DETAIL[self.input_topic]["fields"] += TRACE_FIELDS
        return config


def load_prediction(setup: ServiceSetup) -> tuple[Any, Callback]:
    """An `AsyncDataAnalysisService` whose callback answers with the mean of the last hour."""
    from data_analysis import AsyncDataAnalysisService

    service = AsyncDataAnalysisService(
        module_name=setup.module_name,
        topics=[setup.input_topic],
        kafka_config=setup.kafka_config,
        output_topic_prefix=setup.output_topic_prefix,
        config=setup.config,
        window_form="array",
    )
    return service, mean_of_last_hour


SAMPLES_PER_HOUR = 240
"""At one sample in 15 seconds."""


def mean_of_last_hour(station_id: str, module_input: Any) -> dict[str, Any]:
    """A stand-in for a model: `totalPower` in kW, its latest value and its mean over an hour."""
    powers_kw = module_input["totalPower_window"][-SAMPLES_PER_HOUR:]
    return {
        "stationId": station_id,
        "totalPower": module_input["totalPower"],
        "meanPower": float(powers_kw.mean()),
    }
