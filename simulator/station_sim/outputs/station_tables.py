"""What was true at one station, as tables: what a run leaves for those who judge or draw it.

Powers in kW, energies in kWh, instants in story seconds; nothing is quantised. The tables'
columns are in `run_schemas`; files are `run_folder`'s.
"""

import math
from collections.abc import Collection
from datetime import datetime
from typing import Any

import numpy as np

from station_sim.outputs.run_schemas import PERIOD_CODES, TABLES
from station_sim.outputs.tables import Rows
from station_sim.streams.noise import Floats
from station_sim.world.profile import Profile
from station_sim.world.sessions import Session

POWER_EVERY_S = 300.0
SAMPLE_S = 15.0
ONE_HOUR_S = 3600.0


class StationTables:
    """Rows of one station, filled day by day as its story advances.

    `detailed` asks for the tables of single guns, hosts and steps too. Tables outside `wanted`
    stay empty.
    """

    def __init__(
        self, story: Any, profile: Profile, *, detailed: bool, wanted: Collection[str] = TABLES
    ) -> None:
        self.rows = {name: Rows(schema) for name, schema in TABLES.items() if name in wanted}
        self._story = story
        self._site = story.site
        self._profile = profile
        self._detailed = detailed
        self._arrived = self._left = 0
        self._expected = 0.0
        self._charged = np.zeros(len(story.site.storage))
        self._discharged = np.zeros(len(story.site.storage))

    def add(self, begin_s: float, end_s: float) -> None:
        """What was in [begin, end), which are full hours apart and follow each other."""
        if "power" in self.rows:
            self._add_power(begin_s, end_s)
        if "storage_power" in self.rows:
            self._add_storage(begin_s, end_s)
        if "sessions" in self.rows:
            for session in self._story.sessions(begin_s, end_s):
                if session.unplugged_s < end_s:
                    self._add_session(session)
            self._add_arrivals(begin_s, end_s)
        if self._detailed:
            self._add_details(begin_s, end_s)
        if "faults" in self.rows:
            for fault in self._story.faults(begin_s, end_s):
                if begin_s <= fault.begin_s < end_s:
                    self._add_fault(fault)

    def finish(self, end_s: float) -> None:
        """What lasts at the end, and what the station is."""
        if "sessions" in self.rows:
            for session in self._story.sessions(end_s - SAMPLE_S, end_s):
                if session.unplugged_s >= end_s:
                    self._add_session(session, end_s)
        self._add_site()
        self._add_tariffs(end_s)

    def _row(self, table: str, **columns: Any) -> None:
        if table in self.rows:
            self.rows[table].add(station_id=self._site.station_id, **columns)

    def _add_power(self, begin_s: float, end_s: float) -> None:
        story, site = self._story, self._site
        times_s = np.arange(begin_s, end_s, POWER_EVERY_S)
        fine_s = np.arange(begin_s, end_s, SAMPLE_S)
        meter_kw = story.meter_kw(fine_s)
        # The last five minutes may be cut short.
        firsts = np.arange(0, len(fine_s), round(POWER_EVERY_S / SAMPLE_S))
        none = np.zeros(len(times_s))
        guns_kw, charging = none.copy(), none.copy()
        for session in story.sessions(begin_s, end_s):
            kw = session.kw(times_s)
            guns_kw += kw
            charging += kw > 0
        hosts, units = range(len(site.hosts)), range(len(site.storage))
        self._row(
            "power",
            time_s=times_s,
            meter_kw=meter_kw[firsts],
            meter_max_kw=np.maximum.reduceat(meter_kw, firsts),
            meter_kwh=story.meter_kwh(times_s),
            pv_kw=story.pv_kw(times_s),
            auxiliaries_kw=story.auxiliaries_kw(times_s),
            storage_kw=sum((story.storage_kw(each, times_s) for each in units), start=none),
            guns_kw=guns_kw,
            dc_kw=sum((story.host_dc_kw(each, times_s) for each in hosts), start=none),
            ac_kw=sum((story.host_ac_kw(each, times_s) for each in hosts), start=none),
            outdoor_c=story.outdoor_c(times_s),
            charging_guns=charging.astype(np.int64),
        )

    def _add_storage(self, begin_s: float, end_s: float) -> None:
        times_s = np.arange(begin_s, end_s, POWER_EVERY_S)
        for unit in range(len(self._site.storage)):
            charged, discharged = self._story.energy.storage_kwh(unit, times_s)
            self._row(
                "storage_power",
                unit=unit,
                time_s=times_s,
                kw=self._story.storage_kw(unit, times_s),
                soc=self._story.storage_soc(unit, times_s),
                charged_kwh=charged,
                discharged_kwh=discharged,
            )

    def _add_details(self, begin_s: float, end_s: float) -> None:
        times_s = np.arange(begin_s, end_s, POWER_EVERY_S)
        for gun in self._site.guns:
            self._row(
                "gun_power",
                gun=gun.number,
                time_s=times_s,
                kw=self._story.gun_kw(gun.number, times_s),
                status=self._story.gun_status(gun.number, times_s).astype(np.int64),
            )
        for host in range(len(self._site.hosts)):
            self._row(
                "host_power",
                host=host,
                time_s=times_s,
                dc_kw=self._story.host_dc_kw(host, times_s),
                ac_kw=self._story.host_ac_kw(host, times_s),
            )

    def _add_arrivals(self, begin_s: float, end_s: float) -> None:
        for hour_s in np.arange(begin_s, end_s, ONE_HOUR_S).tolist():
            arrived, left = self._story.arrivals(hour_s, hour_s + ONE_HOUR_S)
            self._arrived += arrived
            self._left += left
            self._expected += self._story.expected_arrivals(hour_s)
            self._row(
                "arrivals",
                hour_s=hour_s + ONE_HOUR_S,
                arrived=self._arrived,
                left=self._left,
                expected=self._expected,
            )

    def _add_session(self, session: Session, until_s: float = math.inf) -> None:
        car = session.car
        has_begun = bool(session.times_s) and session.power_on_s < until_s
        times_s, socs, kwhs, powers = _until(session, until_s)
        cost = self._story.tariffs.cost(times_s, kwhs) if len(times_s) > 1 else None
        by_code = cost.kwh_by_code if cost is not None else {}
        self._row(
            "sessions",
            transaction_no=session.transaction_no,
            gun=session.gun,
            vehicle_class=car.vehicle_class,
            capacity_kwh=car.battery.capacity_kwh,
            peak_kw=car.battery.peak_kw,
            max_kw=max(powers, default=0.0),
            arrival_soc=car.arrival_soc,
            stop_soc=getattr(car, "stop_soc", None),
            final_soc=socs[-1] if socs else car.arrival_soc,
            plugged_s=session.plugged_s,
            power_on_s=session.power_on_s if has_begun else None,
            power_off_s=_known(session.power_off_s, until_s),
            unplugged_s=_known(session.unplugged_s, until_s),
            end=session.end.value if session.end and session.unplugged_s < until_s else None,
            energy_kwh=kwhs[-1] if kwhs else 0.0,
            fee_cny=cost.energy_cny + cost.service_cny if cost is not None else 0.0,
            **{f"kwh_{name}": by_code.get(code, 0.0) for name, code in PERIOD_CODES.items()},
        )
        if self._detailed and times_s:
            self._row(
                "session_steps",
                transaction_no=session.transaction_no,
                time_s=times_s,
                soc=socs,
                energy_kwh=kwhs,
                power_kw=[*powers, 0.0],
                limit_kw=[*session.limits_kw[: len(powers)], 0.0],
            )

    def _add_fault(self, fault: Any) -> None:
        self._row(
            "faults",
            part=fault.part,
            place=fault.place,
            begin_s=fault.begin_s,
            end_s=fault.end_s if math.isfinite(fault.end_s) else None,
            level=fault.level,
            code=fault.code,
            soft=fault.soft,
        )

    def _add_site(self) -> None:
        site = self._site
        self._row(
            "stations",
            station_index=site.index,
            name=site.name,
            site_type=site.site_type.value,
            longitude=site.longitude,
            latitude=site.latitude,
            grid_capacity_kva=site.grid_capacity_kva,
            grid_limit_kw=site.grid_limit_kw,
            guns=len(site.guns),
            hosts=len(site.hosts),
            storage_units=len(site.storage),
            storage_kwh=sum(each.energy_kwh for each in site.storage),
            storage_kw=sum(each.power_kw for each in site.storage),
            pv_kwp=site.pv_kwp,
            rated_kw=site.rated_kw,
            years=site.years,
            busyness=site.busyness,
            frailty=site.frailty,
            arrived=self._story.arrived,
            left=self._story.left,
        )
        for index, host in enumerate(site.hosts):
            self._row("hosts", host=index, host_code=host.code, rated_kw=host.rated_kw)
        for unit, cabinet in enumerate(site.storage):
            self._row(
                "storage",
                unit=unit,
                storage_code=cabinet.code,
                host_code=cabinet.host_code,
                energy_kwh=cabinet.energy_kwh,
                power_kw=cabinet.power_kw,
                years=cabinet.years,
            )
        for gun in site.guns:
            self._row(
                "guns",
                gun=gun.number,
                gun_no=gun.gun_no,
                host=gun.host,
                host_code=site.hosts[gun.host].code,
                pile=gun.pile,
                rated_kw=gun.rated_kw,
                current_limit_a=gun.current_limit_a,
            )

    def _add_tariffs(self, end_s: float) -> None:
        """A row for each run of days with one tariff."""
        runs: list[tuple[float, float, Any]] = []
        begin_s = 0.0
        while begin_s < end_s:
            local = self._profile.local_time(begin_s)
            next_s = self._profile.story_s(_next_midnight(local))
            tariff = self._story.tariffs.on(local.date())
            if runs and runs[-1][2] == tariff:
                runs[-1] = (runs[-1][0], next_s, tariff)
            else:
                runs.append((begin_s, next_s, tariff))
            begin_s = next_s
        for first_s, last_s, tariff in runs:
            prices = {}
            for name, code in PERIOD_CODES.items():
                prices[f"energy_{name}"] = tariff.energy_price.get(code, 0.0)
                prices[f"service_{name}"] = tariff.service_fee.get(code, 0.0)
            self._row(
                "tariffs",
                begin_s=first_s,
                end_s=min(last_s, end_s),
                region=region_of(self._profile.city),
                dial_no=tariff.dial_no,
                codes=[list(tariff.codes)],
                **prices,
            )


def region_of(city: Any) -> str:
    """The province whose tariff scheme holds in a profile's city."""
    known = {"guangzhou": "guangdong", "hangzhou": "zhejiang"}
    scheme = getattr(city, "price_scheme", None) or known.get(str(city), str(city))
    return str(scheme)


def _next_midnight(local: datetime) -> datetime:
    from datetime import timedelta

    return local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _until(
    session: Session, until_s: float
) -> tuple[list[float], list[float], list[float], list[float]]:
    """Boundaries, states of charge, energies and powers of what has been before an instant."""
    times_s = [each for each in session.times_s if each < min(until_s, math.inf)]
    if not times_s or until_s == math.inf:
        return session.times_s, session.socs_percent, session.energies_kwh, session.powers_kw
    if len(times_s) == len(session.times_s):
        return session.times_s, session.socs_percent, session.energies_kwh, session.powers_kw
    at: Floats = np.array([until_s])
    powers = session.powers_kw[: len(times_s)]
    socs = [*session.socs_percent[: len(times_s)], float(session.soc(at)[0])]
    kwhs = [*session.energies_kwh[: len(times_s)], float(session.kwh(at)[0])]
    return [*times_s, until_s], socs, kwhs, powers


def _known(at_s: float, until_s: float) -> float | None:
    return at_s if math.isfinite(at_s) and at_s < until_s else None
