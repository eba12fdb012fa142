"""MODULE-OUTPUT-*: results of a module that others depend on.

A result is the `output` of an uploaded value, or, in a batch, an item of `results` as it is. How it
stands in the inputs of dependent modules is decided in `data_analysis.inputs`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from data_analysis.messages import OUTPUT_KEY, RESULT_STATION_KEY, STATION_KEY, Scope
from data_analysis.settings import TopicSettings
from data_analysis.stores import View
from data_analysis.topics.general import GeneralTopic

COLUMN = "output"
AROUND_KEYS = frozenset((STATION_KEY, RESULT_STATION_KEY, "module", "timestamp", "batch_id"))
"""What stands around a result and is not of it."""


class OutputTopic(GeneralTopic):
    """One result per station and run of the module."""

    def __init__(self) -> None:
        super().__init__(Scope.RESULT)

    def columns(self, topic: TopicSettings) -> tuple[str, ...]:
        """Return the one column."""
        return (COLUMN,)

    def reader(self, topic: TopicSettings) -> Callable[[Any], Sequence[Any]]:
        """Return the function to the result."""
        return lambda payload: (_result(payload),)

    def points(self, station_id: str, topic: TopicSettings, view: View) -> list[Any]:
        """Return the results."""
        return [row[0] for row in view.rows()]

    def _change(
        self, before: TopicSettings, after: TopicSettings
    ) -> Callable[[Sequence[Any]], Sequence[Any]]:
        return lambda row: row


def _result(payload: dict[str, Any]) -> Any:
    if OUTPUT_KEY in payload:
        return payload[OUTPUT_KEY]
    return {key: value for key, value in payload.items() if key not in AROUND_KEYS}
