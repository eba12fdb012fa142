"""Names of one thing in different editions of the system, and how a payload becomes values.

The name on the wire is the one that is shown; the others are accepted for it, and a configuration
may ask for any of them. Values go on as they come: signs and units are the sender's.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

_GROUPS = (
    ("normalCap", "normalClap", "normaClap"),
    ("dcdcPower", "dcPower"),
    ("storageCode", "storageId"),
    ("hostCode", "hostId"),
    ("batteryGroupSoc", "storageSOC"),
    ("batteryGroupSoh", "storageSOH"),
    ("batteryGroupElectric", "storageCurrent"),
    ("batteryGroupOutPower", "storagePower"),
    ("maxTemperature", "storageTempMax"),
    ("minTemperature", "storageTempMin"),
)
"""The wire's own name first."""

SPELLINGS = {
    name: tuple(other for other in group if other != name) for group in _GROUPS for name in group
}


def spelled(payload: dict[str, Any], field: str) -> Any:
    """Return the value of a field under whichever name it came; None if it did not."""
    if field not in payload:
        for other in SPELLINGS.get(field, ()):
            if other in payload:
                return payload[other]
    return payload.get(field)


def picker(fields: Sequence[str]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    """Return the function from a payload to the values of `fields`, None for missing ones.

    A payload that has them all under these names takes one call, whatever their number.
    """
    if not fields:
        return lambda payload: ()
    nothing = dict.fromkeys(fields)
    others = [(field, SPELLINGS[field]) for field in fields if field in SPELLINGS]
    # One name more than asked for, that always makes a tuple of it; it is cut off again.
    pick = itemgetter(*fields) if len(fields) > 1 else _single(fields[0])

    def read(payload: dict[str, Any]) -> tuple[Any, ...]:
        try:
            values: tuple[Any, ...] = pick(payload)
        except KeyError:
            whole = {**nothing, **payload}
            for field, _ in others:
                whole[field] = spelled(payload, field)
            values = pick(whole)
        return values

    return read


def _single(field: str) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    return lambda payload: (payload[field],)
