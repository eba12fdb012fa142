"""Where the sun stands, and what a season gives: as much as the PV targets need.

Deliberately not the world's: textbook formulas, so that both cannot err alike.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SPRING, SUMMER, AUTUMN, WINTER = 68, 78, 51, 37
"""How a year's yield is split over the seasons in China (PVSEA)."""

MEAN_SEASON = (SPRING + SUMMER + AUTUMN + WINTER) / 4

SEASON_YIELD: Mapping[int, float] = {
    month: season / MEAN_SEASON
    for season, months in (
        (SPRING, (3, 4, 5)),
        (SUMMER, (6, 7, 8)),
        (AUTUMN, (9, 10, 11)),
        (WINTER, (12, 1, 2)),
    )
    for month in months
}
"""By month: a day's yield over that of the year's mean day."""


def elevations_deg(
    start: datetime, times_s: Floats, latitudes_deg: Floats, longitudes_deg: Floats
) -> Floats:
    """Elevation of the sun at instants and places, within a degree.

    Cooper's declination and Spencer's equation of time.
    """
    begin = start.astimezone(UTC)
    seconds = begin.hour * 3600 + begin.minute * 60 + begin.second + times_s
    days = begin.timetuple().tm_yday - 1 + seconds / 86_400
    angle = 2 * np.pi * days / 365
    equation_min = 229.18 * (
        0.000075
        + 0.001868 * np.cos(angle)
        - 0.032077 * np.sin(angle)
        - 0.014615 * np.cos(2 * angle)
        - 0.040849 * np.sin(2 * angle)
    )
    declination = np.radians(23.45) * np.sin(2 * np.pi * (285 + days) / 365)
    solar_hours = (seconds / 3600 + longitudes_deg / 15 + equation_min / 60) % 24
    hour_angle = np.radians(15 * (solar_hours - 12))
    latitude = np.radians(latitudes_deg)
    sine = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(
        hour_angle
    )
    elevations: Floats = np.degrees(np.arcsin(np.clip(sine, -1, 1)))
    return elevations
