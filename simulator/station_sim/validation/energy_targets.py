"""Targets 19 to 25: power, prices, PV, storage, the meter's balance, and faults."""

import numpy as np
import pandas as pd

from station_sim.validation.saved_run import SECONDS_PER_DAY, SavedRun
from station_sim.validation.sun import SEASON_YIELD, elevations_deg
from station_sim.validation.targets import Band, CannotTellError, Target, around, within

HOURS_PER_POINT = 300 / 3600
"""Tables of power hold one instant every five minutes."""

ROUND_TRIP = 0.85
YEARLY_YIELD_KWH = 3.1
NIGHT_ELEVATION_DEG = -2.0
"""Below it no light reaches a panel; `elevations_deg` errs by less than a degree."""


def power_of(run: SavedRun) -> pd.DataFrame:
    """The stations' powers; cannot tell where no instant was saved."""
    power = run.table("power")
    if power.empty:
        raise CannotTellError("no power was saved")
    return power


class PeakToNameplate:
    """Highest power of the guns over the hosts' rated power, mean over stations of some sizes."""

    def __init__(self, guns_min: int, guns_max: float) -> None:
        self.guns_min = guns_min
        self.guns_max = guns_max

    def __call__(self, run: SavedRun) -> float:
        """Cannot tell where no station has that many guns."""
        stations = run.table("stations").set_index("station_id")
        sized = stations[stations["guns"].between(self.guns_min, self.guns_max)]
        if sized.empty:
            raise CannotTellError(f"no stations of {self.guns_min} to {self.guns_max:g} guns")
        peaks = power_of(run).groupby("station_id")["guns_kw"].max()
        return float((peaks.reindex(sized.index) / sized["rated_kw"]).mean())


def grid_limit_share(run: SavedRun) -> float:
    """Highest power from the grid over what the transformer may ever give, worst station."""
    peaks = power_of(run).groupby("station_id")["meter_max_kw"].max()
    limits = run.table("stations").set_index("station_id")["grid_capacity_kva"]
    limited = limits[limits > 0]
    return float((peaks.reindex(limited.index) / limited).max())


def price_paid(run: SavedRun) -> float:
    """CNY per kWh, service fee included, weighted by energy."""
    sessions = run.table("sessions")
    energy = sessions["energy_kwh"].sum()
    if energy <= 0:
        raise CannotTellError("no energy was sold")
    return float(sessions["fee_cny"].sum() / energy)


class PriceRatio:
    """One period's energy price over another's in Guangdong: the tariff farthest from a ratio."""

    def __init__(self, dividend: str, divisor: str, ratio: float) -> None:
        self.dividend = f"energy_{dividend}"
        self.divisor = f"energy_{divisor}"
        self.ratio = ratio

    def __call__(self, run: SavedRun) -> float:
        """Cannot tell where no station has Guangdong's tariff."""
        tariffs = run.table("tariffs")
        ours = tariffs[(tariffs["region"] == "guangdong") & (tariffs[self.dividend] > 0)]
        if ours.empty:
            raise CannotTellError("no Guangdong tariffs")
        ratios = ours[self.dividend] / ours[self.divisor]
        return float(ratios.loc[(ratios - self.ratio).abs().idxmax()])


def with_pv(run: SavedRun) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Stations that have PV, and their rows of `power`."""
    stations = run.table("stations")
    stations = stations[stations["pv_kwp"] > 0]
    if stations.empty:
        raise CannotTellError("no stations with PV")
    power = power_of(run)
    return stations, power[power["station_id"].isin(stations["station_id"])]


def yield_per_kwp_day(run: SavedRun) -> float:
    """kWh per kWp and day."""
    stations, power = with_pv(run)
    energy = power["pv_kw"].sum() * HOURS_PER_POINT
    return float(energy / stations["pv_kwp"].sum() / run.days)


def yield_without_season(run: SavedRun) -> float:
    """Yield per kWp and day times what a mean day of the year gives over one of the run's days."""
    days = pd.date_range(run.start, periods=max(round(run.days), 1), freq="D")
    seasonal = np.mean([SEASON_YIELD[month] for month in days.month])
    return yield_per_kwp_day(run) / float(seasonal)


def night_output(run: SavedRun) -> float:
    """Highest kW of a PV while the sun is below the horizon."""
    stations, power = with_pv(run)
    places = stations.set_index("station_id")
    elevations = elevations_deg(
        run.start,
        power["time_s"].to_numpy(),
        power["station_id"].map(places["latitude"]).to_numpy(),
        power["station_id"].map(places["longitude"]).to_numpy(),
    )
    night = power["pv_kw"].abs()[elevations < NIGHT_ELEVATION_DEG]
    if night.empty:
        raise CannotTellError("no night")
    return float(night.max())


def storage_sums(run: SavedRun) -> pd.DataFrame:
    """Per unit: its `energy_kwh`, what it `charged` and `discharged`, and what its SoC `gained`."""
    units = run.table("storage").set_index(["station_id", "unit"])
    if units.empty:
        raise CannotTellError("no storage")
    series = run.table("storage_power").sort_values("time_s").groupby(["station_id", "unit"])
    first, last = series.first(), series.last()
    return pd.DataFrame(
        {
            "energy_kwh": units["energy_kwh"],
            "charged": last["charged_kwh"] - first["charged_kwh"],
            "discharged": last["discharged_kwh"] - first["discharged_kwh"],
            "gained": (last["soc"] - first["soc"]) / 100 * units["energy_kwh"],
        }
    )


def round_trip(run: SavedRun) -> float:
    """Energy given back over energy taken, AC; what is still stored counts as if given back."""
    sums = storage_sums(run).sum()
    if sums["charged"] <= 0:
        raise CannotTellError("no storage was charged")
    return float((sums["discharged"] + sums["gained"] * ROUND_TRIP**0.5) / sums["charged"])


def cycles_per_day(run: SavedRun) -> float:
    """Half of the energy taken and given over capacity and day, mean over units."""
    sums = storage_sums(run)
    cycles = (sums["charged"] + sums["discharged"]) / 2 / sums["energy_kwh"]
    return float(cycles.mean() / run.days)


def daily_residual(run: SavedRun) -> float:
    """Meter minus hosts, auxiliaries, PV and storage over consumption: the worst station's day."""
    power = power_of(run)
    consumed = power["ac_kw"] + power["auxiliaries_kw"]
    residual = power["meter_kw"] - (consumed - power["pv_kw"] - power["storage_kw"])
    days = power["time_s"] // SECONDS_PER_DAY
    sums = pd.DataFrame({"residual": residual, "consumed": consumed}).groupby(
        [power["station_id"], days]
    )
    by_day = sums.sum()
    shares = by_day["residual"] / by_day["consumed"].clip(lower=1e-9)
    return float(shares.loc[shares.abs().idxmax()])


def charger_efficiency(run: SavedRun) -> float:
    """DC given over AC taken by hosts while they charge."""
    power = power_of(run)
    busy = power[power["dc_kw"] > 0]
    if busy.empty:
        raise CannotTellError("no host gave power")
    return float(busy["dc_kw"].sum() / busy["ac_kw"].sum())


def gun_availability(run: SavedRun) -> float:
    """Share of the guns' time without a fault of the gun or its host."""
    guns = run.table("guns")
    faults = run.table("faults")
    own = faults[faults["part"] == "gun"].rename(columns={"place": "gun"})
    hosts = faults[faults["part"] == "host"].rename(columns={"place": "host"})
    through_host = hosts.merge(guns[["station_id", "host", "gun"]], on=["station_id", "host"])
    columns = ["station_id", "gun", "begin_s", "end_s"]
    spans = pd.concat([own[columns], through_host[columns]])
    out_s = sum(
        union_s(spans["begin_s"].to_numpy(), spans["end_s"].clip(upper=run.end_s).to_numpy())
        for _, spans in spans.groupby(["station_id", "gun"])
    )
    return float(1 - out_s / (len(guns) * run.end_s))


def union_s(begins: np.ndarray, ends: np.ndarray) -> float:
    """Seconds covered by spans that may overlap."""
    order = np.argsort(begins)
    begins, ends = begins[order], np.maximum.accumulate(ends[order])
    covered_until = np.concatenate(([-np.inf], ends[:-1]))
    return float(np.maximum(ends - np.maximum(begins, covered_until), 0).sum())


def abnormal_ends(run: SavedRun) -> float:
    """Share of charges that ended because something failed."""
    sessions = run.table("sessions")
    ended = sessions[sessions["power_on_s"].notna() & sessions["power_off_s"].notna()]
    if ended.empty:
        raise CannotTellError("no charges")
    return float((ended["end"] == "abnormal").mean())


ROUNDING = 0.0003
"""What rounding prices near 0.6 CNY/kWh to four decimals does to a ratio, at most."""

ENERGY_TARGETS = (
    Target(
        "19a",
        "peak over nameplate power, 8 to 12 guns",
        "",
        Band(0.55, 0.45, 0.75),
        "Monte Carlo",
        PeakToNameplate(8, 12),
        digits=3,
    ),
    Target(
        "19b",
        "peak over nameplate power, from 40 guns",
        "",
        Band(0.33, 0.25, 0.45),
        "Monte Carlo",
        PeakToNameplate(40, np.inf),
        digits=3,
    ),
    Target(
        "19c",
        "highest power from the grid over the transformer's",
        "",
        Band(1.0, 0.0, 1.0),
        "SINRAY",
        grid_limit_share,
        digits=3,
    ),
    Target(
        "20", "price paid, weighted by energy", "CNY/kWh", within(0.98, 0.15), "WP22", price_paid
    ),
    Target(
        "21a",
        "price of peak over flat, Guangdong",
        "",
        around(1.7, ROUNDING),
        "GD21",
        PriceRatio("peak", "flat", 1.7),
        digits=4,
    ),
    Target(
        "21b",
        "price of valley over flat, Guangdong",
        "",
        around(0.38, ROUNDING),
        "GD21",
        PriceRatio("valley", "flat", 0.38),
        digits=4,
    ),
    Target(
        "21c",
        "price of sharp over peak, Guangdong",
        "",
        around(1.25, ROUNDING),
        "GD21",
        PriceRatio("sharp", "peak", 1.25),
        digits=4,
    ),
    Target(
        "22a",
        "PV yield per kWp and day, season taken out",
        "kWh",
        within(YEARLY_YIELD_KWH, 0.20),
        "PV15, PVSEA",
        yield_without_season,
    ),
    Target("22b", "PV output at night", "kW", Band(0.0, 0.0, 0.0), "PVSEA", night_output),
    Target(
        "23a",
        "round trip of storage, AC",
        "",
        around(ROUND_TRIP, 0.03),
        "ATB",
        round_trip,
        digits=3,
    ),
    Target("23b", "storage cycles per day", "", Band(1.5, 0.7, 2.1), "ATB", cycles_per_day),
    Target(
        "24a",
        "residual of the meter's balance, worst day",
        "",
        Band(0.0, -0.005, 0.005),
        "physics",
        daily_residual,
        digits=4,
    ),
    Target(
        "24b",
        "efficiency of the chargers",
        "",
        Band(0.955, 0.94, 0.965),
        "estimate",
        charger_efficiency,
        digits=3,
    ),
    Target(
        "25a", "availability of guns", "", around(0.97, 0.015), "NEVI", gun_availability, digits=3
    ),
    Target(
        "25b",
        "share of charges that end abnormally",
        "",
        around(0.03, 0.01),
        "UCD",
        abnormal_ends,
        digits=3,
    ),
)
