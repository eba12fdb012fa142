"""Stand-ins for weather, tariffs and what lies between guns and grid, until those are here."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import numpy as np

from station_sim.world.cities import City
from station_sim.world.profile import STATION_TIMEZONE
from station_sim.world.site import StationSite
from station_sim.world.steps import Floats
from station_sim.world.tariffs import Tariff, monthly_tariff


class Condition(StrEnum):
    CLEAR = "晴"
    LIGHT_RAIN = "小雨"
    MODERATE_RAIN = "中雨"
    HEAVY_RAIN = "大雨"
    SNOW = "雪"


@dataclass(frozen=True)
class DayWeather:
    condition: Condition
    min_c: float
    max_c: float


class Weather:
    def __init__(self, seed: int, city: City, start: datetime, always_c: float | None = None):
        self.c = 20.0 if always_c is None else always_c

    def day(self, day: date) -> DayWeather:
        return DayWeather(Condition.CLEAR, self.c, self.c)

    def outdoor_c(self, times_s: Floats) -> Floats:
        return np.full(len(times_s), self.c)


class Tariffs:
    def __init__(self, seed: int, entity: str, site_type: str, weather: Weather):
        self.seed, self.entity = seed, entity

    def on(self, day: date) -> Tariff:
        return monthly_tariff(self.seed, self.entity, day.year, day.month)

    def at(self, at_s: float) -> Tariff:
        return self.on(datetime(2026, 3, 1, tzinfo=STATION_TIMEZONE).date())


class SiteEnergy:
    def __init__(
        self, env: Any, site: StationSite, seed: int, weather: Any, tariffs: Any, load: Any
    ):
        self.site, self.load = site, load
        self.allowed_dc_kw = site.grid_limit_kw * 0.9

    def host_limit_kw(self, host: int, at_s: float, working_modules: int = 20) -> float:
        return self.site.hosts[host].rated_kw * working_modules / 20

    def load_changed(self) -> None: ...

    def stop_storage(self, unit: int) -> None: ...

    def restart_storage(self, unit: int) -> None: ...

    def forget(self, before_s: float) -> float:
        return before_s

    def host_ac_kw(self, host: int, times_s: Floats) -> Floats:
        return np.asarray(self.load.host_dc_kw(host, times_s) / 0.94)

    def auxiliaries_kw(self, times_s: Floats) -> Floats:
        return np.full(len(times_s), 2.0)

    def pv_kw(self, times_s: Floats) -> Floats:
        return np.zeros(len(times_s))

    def storage_kw(self, unit: int, times_s: Floats) -> Floats:
        return np.zeros(len(times_s))

    def storage_soc(self, unit: int, times_s: Floats) -> Floats:
        return np.full(len(times_s), 50.0)

    def meter_kw(self, times_s: Floats) -> Floats:
        return self.auxiliaries_kw(times_s)

    def meter_kwh(self, times_s: Floats) -> Floats:
        return 2.0 * times_s / 3600
