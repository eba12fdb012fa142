"""What the engine is asked to do; what a service is asked is in `data_analysis.options`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What a service asks of the engine; constant while it runs.

    `output_topic` is None where results are not uploaded; `callback_tries` and
    `batch_handler_tries` are at least 1. With `warm_start` windows are filled from records that
    were handled before, by `data_analysis.kafka.warm_start`.
    """

    module_name: str | None = None
    output_topic: str | None = None
    coalesce: bool = False
    callback_tries: int = 1
    batch_handler_tries: int = 1
    dead_letter_topic: str | None = None
    warm_start: bool = False
