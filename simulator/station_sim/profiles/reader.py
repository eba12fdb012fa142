"""Reads a network's profile from a TOML file, and refuses a bad one with one clear line.

Keys are the fields of `Profile`; tables are `city`, `site_mix`, `gun_mix`, `weather` and
`imperfections`. Which values make sense together is the profile's own knowledge.
"""

import tomllib
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Any

from station_sim.errors import LabError
from station_sim.world.cities import CITIES, City
from station_sim.world.profile import GUN_MIX, SITE_MIX, STATION_TIMEZONE, Profile

FOLDER = Path(__file__).parent
PROFILE_NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))
"""The profiles that come with the package."""

CITY_KEYS = ("name", "latitude", "longitude", "price_scheme", "code")
WEATHER_KEYS = ("temperature_c",)


class BadValueError(ValueError):
    """A key whose value is of the wrong kind: says key, value and what is allowed."""

    def __init__(self, key: str, value: object, allowed: str) -> None:
        super().__init__(f"{key} = {value!r}: {allowed}")


def load_profile(name: str | Path) -> Profile:
    """The profile of a name in `PROFILE_NAMES`, or of a TOML file.

    Raises `LabError` with one line that says file, key, value and what is allowed.
    """
    path = FOLDER / f"{name}.toml" if str(name) in PROFILE_NAMES else Path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"no profile {str(name)!r}: {_known(str(name), PROFILE_NAMES)}") from error
    return read_profile(text, path.name, default_name=path.stem)


def read_profile(text: str, file: str, default_name: str = "own") -> Profile:
    """The profile that a TOML text describes; `file` stands before every complaint."""
    try:
        table = tomllib.loads(text)
        return Profile(**{"name": default_name, **_fields(table)})
    except tomllib.TOMLDecodeError as error:
        raise LabError(f"{file}: not TOML: {error}") from error
    except (BadValueError, LabError) as error:
        raise LabError(f"{file}: {error}") from error


def _fields(table: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for key, value in table.items():
        if key not in READERS:
            raise BadValueError(key, _short(value), f"unknown key; {_known(key, READERS)}")
        name, read = READERS[key]
        fields[name] = read(key, value)
    return fields


def _whole(key: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadValueError(key, value, "a whole number is allowed")
    return value


def _number(key: str, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
        raise BadValueError(key, value, "a finite number is allowed")
    return float(value)


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise BadValueError(key, value, "text is allowed")
    return value


def _start(key: str, value: object) -> datetime:
    """A date or a date with time; without an offset it is China's."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=STATION_TIMEZONE)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=STATION_TIMEZONE)
    raise BadValueError(key, value, "a date such as 2026-03-01 is allowed")


def _mix(known: Collection[str] | None = None) -> Callable[[str, object], dict[str, float]]:
    def read(key: str, value: object) -> dict[str, float]:
        table = _table(key, value, known)
        return {each: _number(f"{key}.{each}", share) for each, share in table.items()}

    return read


def _city(key: str, value: object) -> City:
    """A city by its name among `CITIES`, or described in a table."""
    if isinstance(value, str):
        if value not in CITIES:
            raise BadValueError(key, value, _known(value, CITIES))
        return CITIES[value]
    table = _table(key, value, CITY_KEYS)
    for needed in ("name", "latitude", "longitude"):
        if needed not in table:
            raise BadValueError(key, dict(table), f"{needed} is missing")
    readers: dict[str, Callable[[str, object], Any]] = {"latitude": _number, "longitude": _number}
    return City(
        **{each: readers.get(each, _text)(f"{key}.{each}", found) for each, found in table.items()}
    )


def _weather(key: str, value: object) -> float | None:
    found = _table(key, value, WEATHER_KEYS).get("temperature_c")
    return None if found is None else _number(f"{key}.temperature_c", found)


def _imperfections(key: str, value: object) -> dict[str, dict[str, float]]:
    return {each: _rates(f"{key}.{each}", rates) for each, rates in _table(key, value).items()}


def _rates(key: str, value: object) -> dict[str, float]:
    rates = _mix()(key, value)
    for each, rate in rates.items():
        if rate < 0:
            raise BadValueError(f"{key}.{each}", rate, "a number >= 0 is allowed")
    return rates


def _table(key: str, value: object, known: Collection[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadValueError(key, value, "a table is allowed")
    for each in value:
        if known is not None and each not in known:
            raise BadValueError(f"{key}.{each}", value[each], f"unknown key; {_known(each, known)}")
    return value


def _known(key: str, known: Collection[str]) -> str:
    """The nearest known name, or all of them."""
    near = get_close_matches(key, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"allowed are {', '.join(known)}"


def _short(value: object) -> object:
    return "{...}" if isinstance(value, dict) else value


READERS: Mapping[str, tuple[str, Callable[[str, object], Any]]] = {
    "name": ("name", _text),
    "stations": ("stations", _whole),
    "guns_per_station": ("guns_per_station", _whole),
    "sessions_per_gun_day": ("sessions_per_gun_day", _number),
    "start": ("start", _start),
    "seed": ("seed", _whole),
    "calendar_days": ("calendar_days", _whole),
    "pv_share": ("pv_share", _number),
    "storage_share": ("storage_share", _number),
    "city": ("city", _city),
    "site_mix": ("site_mix", _mix(SITE_MIX)),
    "gun_mix": ("gun_mix", _mix(GUN_MIX)),
    "weather": ("fixed_temperature_c", _weather),
    "imperfections": ("imperfections", _imperfections),
}
"""Every key with the field that it sets."""
