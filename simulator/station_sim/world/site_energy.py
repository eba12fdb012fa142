"""One station's energy, between its guns and the grid: all parts of it, and their balance.

Assembles what lives elsewhere and answers for it; the guns' side is the story's.
"""

from datetime import date

import simpy

from station_sim.world.auxiliaries import Auxiliaries
from station_sim.world.efficiency import host_limit_kw
from station_sim.world.grid import allowed_dc_kw, least_ac_kw, most_ac_kw
from station_sim.world.host_loads import GunLoad, HostLoads
from station_sim.world.meter import Meter
from station_sim.world.photovoltaics import Panels
from station_sim.world.site import MODULES, StationSite
from station_sim.world.steps import Floats
from station_sim.world.storage_cells import Cells
from station_sim.world.storage_control import StorageControl
from station_sim.world.tariffs import Tariffs
from station_sim.world.weather import Weather

# Between two decisions a gun's rise may hide that others fall, and a car may come to accept a
# little more: by less than these shares of what all guns draw (measured).
HIDDEN_FALL_SHARE, HIDDEN_RISE_SHARE = 0.03, 0.01


class SiteEnergy:
    """Panels, storage, auxiliaries and meter of one station, in its SimPy environment.

    Powers in kW AC unless a name says otherwise; instants are story seconds, ascending. The story
    that knows the guns comes as `guns`. `allowed_dc_kw` is what all guns together may draw, DC, so
    that the grid limit holds whatever else happens.
    """

    def __init__(
        self,
        env: simpy.Environment,
        site: StationSite,
        seed: int,
        weather: Weather,
        tariffs: Tariffs,
        guns: GunLoad,
    ) -> None:
        entity, hosts_kw = site.entity, [host.rated_kw for host in site.hosts]
        self.weather, self.tariffs = weather, tariffs
        self.auxiliaries = Auxiliaries(seed, entity, len(site.guns), weather.days)
        self.panels = Panels(seed, entity, site.pv_kwp, weather)
        self.hosts = HostLoads(site.hosts, guns)
        self._guns, self._hosts_kw = guns, hosts_kw
        self.allowed_dc_kw = allowed_dc_kw(site.grid_limit_kw, hosts_kw, self.auxiliaries.most_kw)
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
        self.meter = Meter(self.hosts, self.auxiliaries, self.panels, self.storage.cabinets)

    def host_limit_kw(self, host: int, at_s: float, working_modules: int = MODULES) -> float:
        """DC power that a host can give with so many modules in order, in that hour's heat."""
        outdoor_c = self.weather.outdoor_c_at(at_s)
        return host_limit_kw(self._hosts_kw[host], outdoor_c, working_modules)

    def load_changed(self) -> None:
        """Guns' powers have changed: storage decides anew."""
        self.storage.decide()

    def stop_storage(self, unit: int) -> None:
        """A storage unit is out of order until `restart_storage`."""
        self.storage.stop(unit)

    def restart_storage(self, unit: int) -> None:
        """A storage unit is in order again."""
        self.storage.restart(unit)

    def host_ac_kw(self, host: int, times_s: Floats) -> Floats:
        """Power that a host takes, its standby included."""
        return self.hosts.host_kw(host, times_s)

    def outdoor_c(self, times_s: Floats) -> Floats:
        """Temperature outside."""
        return self.weather.outdoor_c(times_s)

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

    def forget(self, before_s: float) -> float:
        """Let go of what nobody asks for any more; guns have to be known from the instant that is
        returned, not later than `before_s`."""
        self.panels.forget(before_s)
        for cabinet in self.storage.cabinets:
            cabinet.forget(before_s)
        return self.hosts.forget(before_s)

    def _load_range_kw(self, now_s: float, until_s: float) -> tuple[float, float]:
        ends_kw = self._guns.total_dc_kw(now_s), self._guns.total_dc_kw(until_s)
        least_dc_kw = (1 - HIDDEN_FALL_SHARE) * min(ends_kw)
        most_dc_kw = (1 + HIDDEN_RISE_SHARE) * max(self._guns.most_dc_kw(now_s), *ends_kw)
        panels_kw = self.panels.most_kw(now_s, until_s)
        least_kw = least_ac_kw(least_dc_kw, len(self._hosts_kw)) + self.auxiliaries.least_kw
        most_kw = most_ac_kw(most_dc_kw, self._hosts_kw) + self.auxiliaries.most_kw
        return least_kw - panels_kw, most_kw
