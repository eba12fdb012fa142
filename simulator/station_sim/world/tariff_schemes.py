"""Time-of-use schemes of electricity: which half hour is of which period, and the periods' ratios.

Guangdong since October 2021 (notice of September 2021): peak 10-12 and 14-19, valley 00-08, the
rest flat; peak : flat : valley 1.7 : 1 : 0.38; in July to September, and on days of 35 °C and more,
sharp 11-12 and 15-17, 25 % above peak. Zhejiang from July 2026: sharp, peak, flat, valley and deep
valley 2.05 : 1.85 : 1 : 0.4 : 0.2; its hours are an estimate. What a station charges is `tariffs`'.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

SHARP, PEAK, FLAT, VALLEY, OTHER = "00", "01", "02", "03", "04"
CODES = (SHARP, PEAK, FLAT, VALLEY, OTHER)
HALF_HOURS = 48
GUANGDONG_SHARP_MONTHS = (7, 8, 9)
ZHEJIANG_SHARP_MONTHS = (1, 7, 8, 12)  # an estimate


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme: each period's price relative to flat, and the period of an hour.

    `ratios` leaves out the periods that the scheme does not have; `period(hour, month, is_hot)`
    gives a code.
    """

    ratios: Mapping[str, float]
    period: Callable[[float, int, bool], str]


@lru_cache(maxsize=256)
def period_codes(month: int, scheme: str = "guangdong", is_hot: bool = False) -> tuple[str, ...]:
    """The period code of each half hour of a day, from 00:00, in `month` (1 to 12)."""
    period = SCHEMES[scheme].period
    return tuple(period(half_hour / 2, month, is_hot) for half_hour in range(HALF_HOURS))


def _guangdong(hour: float, month: int, is_hot: bool) -> str:
    if hour < 8:
        return VALLEY
    if 10 <= hour < 12 or 14 <= hour < 19:
        has_sharp = is_hot or month in GUANGDONG_SHARP_MONTHS
        return SHARP if has_sharp and (11 <= hour < 12 or 15 <= hour < 17) else PEAK
    return FLAT


def _zhejiang(hour: float, month: int, is_hot: bool) -> str:
    """Deep valley at solar noon, dear evenings; hot days change nothing."""
    if hour < 8 or 10 <= hour < 14:
        return OTHER if 11 <= hour < 13 else VALLEY
    if 16 <= hour < 22:
        has_sharp = month in ZHEJIANG_SHARP_MONTHS
        return SHARP if has_sharp and 18 <= hour < 20 else PEAK
    return FLAT


SCHEMES: Mapping[str, Scheme] = {
    "guangdong": Scheme({SHARP: 1.7 * 1.25, PEAK: 1.7, FLAT: 1.0, VALLEY: 0.38}, _guangdong),
    "zhejiang": Scheme({SHARP: 2.05, PEAK: 1.85, FLAT: 1.0, VALLEY: 0.4, OTHER: 0.2}, _zhejiang),
}
