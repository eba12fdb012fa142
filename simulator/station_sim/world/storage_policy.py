"""When storage charges and when it discharges: what the hours' prices ask of it.

It charges in valleys, and in a flat gap between dear hours as far as these will need it; it
discharges in sharp hours first, in peak hours with what coming sharp hours leave, and in the last
flat hours of a day with what is left (an estimate of what operators do). How much the station can
take or spare is `storage_control`'s.
"""

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from station_sim.world.tariff_schemes import FLAT, HALF_HOURS, OTHER, PEAK, SHARP, VALLEY

CHEAP = (VALLEY, OTHER)
DEAR = (SHARP, PEAK)


class Wish(Enum):
    """What prices ask of storage."""

    CHARGE = "charge"
    DISCHARGE = "discharge"


@dataclass(frozen=True, slots=True)
class Plan:
    """A half hour's wish. `sharp_h` are hours at full power that a discharge has to leave for
    sharp hours, `dear_h` those that a charge is for; infinite where it charges as far as it can."""

    wish: Wish
    sharp_h: float = 0.0
    dear_h: float = 0.0


@lru_cache(maxsize=256)
def plans(codes: tuple[str, ...]) -> tuple[Plan, ...]:
    """The plan of each half hour of a day with these periods."""
    return tuple(_plan(codes, place) for place in range(HALF_HOURS))


def _plan(codes: tuple[str, ...], place: int) -> Plan:
    code, later = codes[place], codes[place + 1 :]
    if code in CHEAP:
        return Plan(Wish.CHARGE, dear_h=float("inf"))
    if code == FLAT:
        dear_h = _dear_h(later)
        return Plan(Wish.CHARGE, dear_h=dear_h) if dear_h else Plan(Wish.DISCHARGE)
    run = _dear_run(later)
    return Plan(Wish.DISCHARGE, sharp_h=run.count(SHARP) / 2 if code == PEAK else 0.0)


def _dear_run(later: tuple[str, ...]) -> tuple[str, ...]:
    """The dear half hours that follow at once."""
    behind = next((place for place, code in enumerate(later) if code not in DEAR), len(later))
    return later[:behind]


def _dear_h(later: tuple[str, ...]) -> float:
    """Dear hours before the next cheap one."""
    behind = next((place for place, code in enumerate(later) if code in CHEAP), len(later))
    return sum(code in DEAR for code in later[:behind]) / 2
