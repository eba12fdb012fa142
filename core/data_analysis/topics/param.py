"""SCHEDULE-STATION-PARAM: a station's parameters, flat at any window size."""

from collections.abc import Sequence
from typing import Any

from data_analysis.topics.general import STATION_FIELD, GeneralTopic

SPELLINGS = {
    "normalCap": ("normalClap", "normaClap"),
    "normalClap": ("normalCap", "normaClap"),
}
"""Other spellings of a field, seen in published configurations; the wire's own comes first."""


class ParamTopic(GeneralTopic):
    """The newest parameters count; spellings of older editions are accepted."""

    flat = True

    def __init__(self) -> None:
        super().__init__(everyone=False)

    def row(self, payload: Any, fields: Sequence[str]) -> Sequence[Any]:
        """Return the configured values, each under whichever spelling it came."""
        return [_value(payload, field) for field in fields if field != STATION_FIELD]


def _value(payload: Any, field: str) -> Any:
    if field not in payload:
        for spelling in SPELLINGS.get(field, ()):
            if spelling in payload:
                return payload[spelling]
    return payload.get(field)
