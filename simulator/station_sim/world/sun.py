"""The sun in a clear sky over a place: where it stands and what light it sends, by pvlib.

Every five minutes of a local day; who has panels interpolates. Turbidity is an estimate. pvlib
takes a second to import: it is imported when somebody first asks for a day.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from math import acos, degrees, radians, tan

import numpy as np

from station_sim.late_imports import import_late
from station_sim.world.steps import Floats

STEP_S = 300.0
KNOTS = 289  # of a day, both midnights included
MOST_DECLINATION = 23.45
TWILIGHT_H = 0.75  # refraction, the equation of time, and more
MERIDIAN = 120.0  # of the clocks
TURBIDITY = (3.3, 3.4, 3.7, 4.0, 4.2, 4.4, 4.5, 4.4, 4.1, 3.7, 3.4, 3.3)  # Linke's, by month


@dataclass(frozen=True, slots=True)
class ClearDay:
    """A day's sun at 289 knots: angles in degrees, irradiances in W/m2."""

    zenith: Floats
    azimuth: Floats
    direct: Floats
    horizontal: Floats
    diffuse: Floats

    def on_plane(self, tilt: float, azimuth: float) -> Floats:
        """Light on a tilted plane, sky taken as evenly bright; exactly zero while the sun is down.

        In W/m2, at the knots.
        """
        from pvlib import irradiance

        found = irradiance.get_total_irradiance(
            tilt,
            azimuth,
            self.zenith,
            self.azimuth,
            self.direct,
            self.horizontal,
            self.diffuse,
        )
        light = np.nan_to_num(np.asarray(found["poa_global"], dtype=np.float64))
        return np.where(self.zenith < 90, np.maximum(light, 0.0), 0.0)


@lru_cache(maxsize=128)
def longest_light_s(latitude: float, longitude: float) -> tuple[float, float]:
    """Between which seconds after midnight the sun may be up, on any day of the year."""
    reach = -tan(radians(abs(latitude))) * tan(radians(MOST_DECLINATION))
    half_h = degrees(acos(max(reach, -1.0))) / 15 + TWILIGHT_H
    noon_h = 12 + (MERIDIAN - longitude) / 15
    return (noon_h - half_h) * 3600, (noon_h + half_h) * 3600


@lru_cache(maxsize=128)
def clear_day(latitude: float, longitude: float, day: date) -> ClearDay:
    """The sun of a date over a place, in a clear sky (Ineichen and Perez's model)."""
    import_late("pandas", "pvlib")
    import pandas as pd
    from pvlib import atmosphere, clearsky, irradiance, solarposition

    times = pd.date_range(day.isoformat(), periods=KNOTS, freq="5min", tz="Asia/Shanghai")
    sun = solarposition.get_solarposition(times, latitude, longitude, method="nrel_numpy")
    zenith = sun["apparent_zenith"].to_numpy()
    mass = atmosphere.get_absolute_airmass(atmosphere.get_relative_airmass(zenith))
    extra = irradiance.get_extra_radiation(day.timetuple().tm_yday)
    with np.errstate(divide="ignore", invalid="ignore"):
        sky = clearsky.ineichen(zenith, mass, TURBIDITY[day.month - 1], 0.0, extra)
    return ClearDay(
        zenith,
        sun["azimuth"].to_numpy(),
        np.nan_to_num(sky["dni"]),
        np.nan_to_num(sky["ghi"]),
        np.nan_to_num(sky["dhi"]),
    )
