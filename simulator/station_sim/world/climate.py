"""What weather a place usually has, month by month: temperatures, rain, sunshine.

Four Chinese cities stand for their latitudes; other latitudes lie between them linearly. All
figures are estimates: temperatures are near the known climate of those cities, sunshine is set so
that panels yield what China's do (3.1 kWh per kWp and day, spring : summer : autumn : winter as
68 : 78 : 51 : 37; NEA statistics of 2015 and a summary of China's potential). What the weather of
a day is, is `weather`'s.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

Months = tuple[float, ...]


class City(Protocol):
    """Where a network stands, in degrees, and whose time-of-use prices hold there; hashable."""

    @property
    def latitude(self) -> float: ...

    @property
    def longitude(self) -> float: ...

    @property
    def price_scheme(self) -> str: ...

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Climate:
    """A latitude's usual year, January to December.

    `highs_c` and `lows_c` are mean daily extremes, `rain` the share of days with rain or snow,
    `sunshine` the share of a clear sky's energy that reaches the ground.
    """

    latitude: float
    highs_c: Months
    lows_c: Months
    rain: Months
    sunshine: Months


# fmt: off
GUANGZHOU = Climate(
    23.1,
    (18.5, 19.5, 22.0, 26.0, 30.0, 32.0, 33.4, 33.3, 32.0, 29.0, 25.0, 20.5),
    (10.5, 12.5, 15.5, 20.0, 23.0, 25.0, 25.8, 25.6, 24.3, 21.0, 16.5, 11.8),
    (0.14, 0.20, 0.24, 0.28, 0.26, 0.27, 0.22, 0.20, 0.18, 0.10, 0.10, 0.10),
    (0.48, 0.42, 0.65, 0.62, 0.65, 0.71, 0.75, 0.76, 0.54, 0.58, 0.63, 0.52),
)
HANGZHOU = Climate(
    30.3,
    (8.5, 10.5, 15.0, 21.0, 26.0, 28.5, 33.6, 33.0, 28.0, 23.0, 17.0, 11.0),
    (1.8, 3.4, 7.2, 12.5, 17.5, 21.5, 25.4, 25.2, 21.0, 15.0, 9.0, 3.3),
    (0.22, 0.24, 0.27, 0.26, 0.25, 0.30, 0.22, 0.23, 0.20, 0.14, 0.16, 0.16),
    (0.51, 0.43, 0.65, 0.61, 0.63, 0.70, 0.75, 0.76, 0.54, 0.59, 0.66, 0.56),
)
BEIJING = Climate(
    39.9,
    (2.0, 5.5, 12.5, 20.5, 26.8, 30.4, 31.5, 30.3, 26.2, 19.0, 10.2, 3.4),
    (-8.0, -5.2, 0.8, 8.2, 14.2, 19.3, 22.5, 21.3, 15.3, 8.0, 0.0, -6.0),
    (0.05, 0.06, 0.08, 0.12, 0.14, 0.20, 0.26, 0.22, 0.15, 0.11, 0.08, 0.05),
    (0.58, 0.46, 0.66, 0.61, 0.62, 0.68, 0.74, 0.76, 0.55, 0.62, 0.74, 0.65),
)
HARBIN = Climate(
    45.8,
    (-12.0, -6.5, 3.0, 14.0, 21.5, 26.8, 28.2, 26.5, 21.2, 12.3, 0.2, -9.8),
    (-23.5, -19.0, -8.0, 1.2, 8.8, 15.2, 18.4, 16.8, 9.3, 0.8, -9.8, -19.5),
    (0.10, 0.08, 0.10, 0.14, 0.20, 0.26, 0.28, 0.24, 0.18, 0.13, 0.12, 0.11),
    (0.67, 0.49, 0.68, 0.60, 0.62, 0.68, 0.73, 0.76, 0.56, 0.66, 0.77, 0.69),
)
# fmt: on
ANCHORS = (GUANGZHOU, HANGZHOU, BEIJING, HARBIN)


def climate_at(latitude: float) -> Climate:
    """The usual year at a latitude; beyond the cities that of the nearest one."""
    return Climate(
        latitude,
        *(_between(latitude, name) for name in ("highs_c", "lows_c", "rain", "sunshine")),
    )


def _between(latitude: float, name: str) -> Months:
    latitudes = [each.latitude for each in ANCHORS]
    columns = zip(*(getattr(each, name) for each in ANCHORS), strict=True)
    return tuple(float(np.interp(latitude, latitudes, column)) for column in columns)
