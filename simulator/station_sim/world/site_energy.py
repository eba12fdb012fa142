"""One station's energy, between its guns and the grid: all parts of it, and their balance.

Assembles what lives elsewhere and answers for it; the guns' side is the story's.
"""

from datetime import date

import simpy

from station_sim.world.auxiliaries import Auxiliaries
from station_sim.world.grid import allowed_dc_kw
from station_sim.world.meter import HostLoads, Meter
from station_sim.world.photovoltaics import Panels
from station_sim.world.site import StationSite
from station_sim.world.steps import Floats
from station_sim.world.storage_cells import Cells
from station_sim.world.storage_control import StorageControl
from station_sim.world.tariffs import Tariff, TariffProfile, Tariffs
from station_sim.world.weather import weather_of


class SiteEnergy:
    """Panels, storage, auxiliaries and meter of one station, in its SimPy environment.

    Powers in kW AC unless a name says otherwise; instants are story seconds, ascending. Sums to
    hosts' loads, which the story knows, as `loads`.
    """

    def __init__(
        self, env: simpy.Environment, site: StationSite, profile: TariffProfile, loads: HostLoads
    ) -> None:
        seed, entity = profile.seed, site.entity
        self.weather = weather_of(profile)
        self.tariffs = Tariffs(profile, site)
        self.auxiliaries = Auxiliaries(seed, entity, len(site.guns), self.weather.days)
        self.panels = Panels(seed, entity, site.pv_kwp, self.weather)
        self._loads = loads
        self._allowed_dc_kw = allowed_dc_kw(
            site.grid_limit_kw,
            [host.rated_kw for host in site.hosts],
            self.auxiliaries.most_kw,
        )
        self.storage = StorageControl(
            env,
            seed,
            entity,
            site.storage,
            site.grid_limit_kw,
            self.weather.days,
            lambda day: self.tariffs.on(day).codes,
            self._load_range_kw,
        )
        self.cells = tuple(
            Cells(seed, entity, each, cabinet)
            for each, cabinet in zip(site.storage, self.storage.cabinets, strict=True)
        )
        self.meter = Meter(loads, self.auxiliaries, self.panels, self.storage.cabinets)

    def allowed_dc_kw(self) -> float:
        """DC power of all guns together that keeps the grid limit, whatever else happens."""
        return self._allowed_dc_kw

    def load_changed(self) -> None:
        """Guns' powers have changed: storage decides anew."""
        self.storage.decide()

    def part_failed(self, part: str, place: int, end_s: float) -> None:
        """A part is out of order until `part_repaired`; only "storage" matters here."""
        if part == "storage":
            self.storage.stop(place)

    def part_repaired(self, part: str, place: int) -> None:
        """A part is in order again."""
        if part == "storage":
            self.storage.restart(place)

    def outdoor_c(self, times_s: Floats) -> Floats:
        """Temperature outside."""
        return self.weather.outdoor_c(times_s)

    def tariff(self, at_s: float) -> Tariff:
        """The tariff that holds."""
        return self.tariffs.at(at_s)

    def auxiliaries_kw(self, times_s: Floats) -> Floats:
        """Light, cooling, the guns' standby."""
        return self.auxiliaries.kw(times_s)

    def pv_kw(self, times_s: Floats) -> Floats:
        """Power of the panels."""
        return self.panels.kw(times_s)

    def pv_dc_kw(self, times_s: Floats) -> Floats:
        """Power of the panels before the inverter, DC."""
        return self.panels.dc_kw(times_s)

    def pv_forecast_kw(self, day: date) -> Floats:
        """DC power expected the day before, in each of 96 quarter hours."""
        return self.panels.forecast_dc_kw(day)

    def storage_kw(self, unit: int, times_s: Floats) -> Floats:
        """Power of a storage unit: positive when it discharges."""
        return self.storage.cabinets[unit].kw_at(times_s)

    def storage_soc(self, unit: int, times_s: Floats) -> Floats:
        """Its state of charge in percent."""
        return self.storage.cabinets[unit].soc(times_s)

    def storage_c(self, unit: int, times_s: Floats) -> tuple[Floats, Floats]:
        """Temperatures of its warmest and its coldest cell."""
        return self.cells[unit].temperatures_c(times_s, self.outdoor_c(times_s))

    def storage_soh(self, unit: int, times_s: Floats) -> Floats:
        """Its state of health in percent."""
        return self.cells[unit].health(times_s)

    def storage_a(self, unit: int, times_s: Floats) -> Floats:
        """Its battery's current, positive when it discharges."""
        return self.cells[unit].amperes(times_s)

    def storage_kwh(self, unit: int, times_s: Floats) -> tuple[Floats, Floats]:
        """AC energy that it took, and that it gave, since the start."""
        cabinet = self.storage.cabinets[unit]
        return cabinet.charged_kwh(times_s), cabinet.discharged_kwh(times_s)

    def meter_kw(self, times_s: Floats) -> Floats:
        """Hosts and auxiliaries minus panels and storage: positive when it comes from the grid."""
        return self.meter.kw(times_s)

    def meter_kwh(self, times_s: Floats) -> Floats:
        """Energy from the grid since the start, minus what went back."""
        return self.meter.kwh(times_s)

    def forget(self, before_s: float) -> None:
        """Let go of what nobody asks for any more."""
        self.panels.forget(before_s)
        for cabinet in self.storage.cabinets:
            cabinet.forget(before_s)

    def _load_range_kw(self, now_s: float, until_s: float) -> tuple[float, float]:
        now_kw = self._loads.ac_kw_planned(now_s)
        then_kw = self._loads.ac_kw_planned(until_s)
        panels_kw = self.panels.most_kw(now_s, until_s)
        least_kw = min(now_kw, then_kw) + self.auxiliaries.least_kw - panels_kw
        return least_kw, max(now_kw, then_kw) + self.auxiliaries.most_kw
