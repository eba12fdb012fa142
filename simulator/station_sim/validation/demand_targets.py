"""Targets 11 to 18: how many come, where and when, and how large stations are."""

import numpy as np
import pandas as pd

from station_sim.validation.saved_run import SECONDS_PER_DAY, SavedRun
from station_sim.validation.targets import Band, CannotTellError, Target, around, within

EXPECTED_ARRIVALS_MIN = 500
"""Fewer expected arrivals than this say nothing about their dispersion."""


def stations_of(run: SavedRun, *site_types: str) -> pd.DataFrame:
    """Stations of some site types; cannot tell where there are none."""
    stations = run.table("stations")
    found = stations[stations["site_type"].isin(site_types) & (stations["guns"] > 0)]
    if found.empty:
        raise CannotTellError(f"no {' or '.join(site_types)} stations")
    return found


def sessions_of(run: SavedRun, stations: pd.DataFrame) -> pd.DataFrame:
    """Sessions with power at some stations."""
    sessions = run.table("sessions")
    powered = sessions["power_on_s"].notna()
    return sessions[powered & sessions["station_id"].isin(stations["station_id"])]


def energy_per_gun_day(run: SavedRun) -> float:
    """kWh per gun and day at urban and corridor stations."""
    stations = stations_of(run, "urban", "corridor")
    energy = sessions_of(run, stations)["energy_kwh"].sum()
    return float(energy / stations["guns"].sum() / run.days)


class SessionsPerGunDay:
    """Sessions with power per gun and day at one site type."""

    def __init__(self, site_type: str) -> None:
        self.site_type = site_type

    def __call__(self, run: SavedRun) -> float:
        """Cannot tell where there are no such stations."""
        stations = stations_of(run, self.site_type)
        return float(len(sessions_of(run, stations)) / stations["guns"].sum() / run.days)


def urban_utilisation(run: SavedRun) -> float:
    """Share of the guns' time with power on."""
    stations = stations_of(run, "urban")
    sessions = sessions_of(run, stations)
    on_s = sessions["power_off_s"].fillna(run.end_s) - sessions["power_on_s"]
    return float(on_s.sum() / (stations["guns"].sum() * run.days * SECONDS_PER_DAY))


class StartsBetween:
    """Share of a site type's sessions that begin in some hours of the day."""

    def __init__(self, site_type: str, hours: tuple[int, ...]) -> None:
        self.site_type = site_type
        self.hours = hours

    def __call__(self, run: SavedRun) -> float:
        """Cannot tell without sessions."""
        sessions = sessions_of(run, stations_of(run, self.site_type))
        if sessions.empty:
            raise CannotTellError(f"no {self.site_type} sessions")
        return float(run.hours_of_day(sessions["plugged_s"]).isin(self.hours).mean())


def hourly_dispersion(run: SavedRun) -> float:
    """Squared distance of hourly arrivals from what was expected, over what was expected.

    1 for a Poisson process whose intensity is the expectation; more by day-to-day noise.
    """
    arrivals = run.table("arrivals").sort_values(["station_id", "hour_s"])
    counts = arrivals.groupby("station_id")[["arrived", "expected"]].diff()
    counts = counts.fillna(arrivals[["arrived", "expected"]])
    expected = counts["expected"].sum()
    if expected < EXPECTED_ARRIVALS_MIN:
        raise CannotTellError(f"{expected:.0f} expected arrivals are too few")
    return float(((counts["arrived"] - counts["expected"]) ** 2).sum() / expected)


class GunsPerStation:
    """A quantile of stations' sizes."""

    def __init__(self, quantile: float) -> None:
        self.quantile = quantile

    def __call__(self, run: SavedRun) -> float:
        """Cannot tell by fewer than 20 stations."""
        guns = run.table("stations")["guns"]
        if len(guns) < 20:
            raise CannotTellError(f"{len(guns)} stations are too few")
        return float(np.quantile(guns, self.quantile))


def above_uniform(share: float, hours: int, distance: float) -> Band:
    """Bounds around a share of starts that must also exceed what uniform starts would give."""
    band = around(share, distance)
    return band._replace(lower=max(band.lower, hours / 24))


DEMAND_TARGETS = (
    Target(
        "11",
        "energy per gun and day, urban and corridor",
        "kWh",
        within(109, 0.20),
        "EVCIPA",
        energy_per_gun_day,
        digits=1,
    ),
    Target(
        "12a",
        "sessions per gun and day, urban",
        "",
        within(4.3, 0.15),
        "EVCIPA",
        SessionsPerGunDay("urban"),
    ),
    Target(
        "12b",
        "sessions per gun and day, corridor",
        "",
        within(5.2, 0.15),
        "HOL25",
        SessionsPerGunDay("corridor"),
    ),
    Target(
        "12c",
        "sessions per gun and day, hub",
        "",
        within(7.9, 0.15),
        "MINLE",
        SessionsPerGunDay("hub"),
    ),
    Target(
        "13",
        "share of time with power on, urban",
        "",
        Band(0.14, 0.11, 0.17),
        "EVCIPA, WP22",
        urban_utilisation,
        digits=3,
    ),
    Target(
        "14a",
        "urban starts 12-16 h",
        "",
        above_uniform(0.24, 4, 0.025),
        "WP22",
        StartsBetween("urban", (12, 13, 14, 15)),
        digits=3,
    ),
    Target(
        "14b",
        "urban starts 23-01 h",
        "",
        above_uniform(0.113, 2, 0.025),
        "WP22",
        StartsBetween("urban", (23, 0)),
        digits=3,
    ),
    Target(
        "14c",
        "urban starts 05-07 h",
        "",
        above_uniform(0.102, 2, 0.025),
        "WP22",
        StartsBetween("urban", (5, 6)),
        digits=3,
    ),
    Target(
        "14d",
        "urban starts 02-04 h",
        "",
        Band(0.04, 0.0, 0.05),
        "WP22",
        StartsBetween("urban", (2, 3)),
        digits=3,
    ),
    Target(
        "15",
        "corridor starts 09-21 h",
        "",
        around(0.81, 0.05),
        "EPFL",
        StartsBetween("corridor", tuple(range(9, 21))),
    ),
    Target(
        "17",
        "dispersion of hourly arrivals around their intensity",
        "",
        Band(1.0, 0.95, 1.4),
        "GHENT",
        hourly_dispersion,
    ),
    Target(
        "18a",
        "guns per station, median",
        "",
        Band(10, 8, 12),
        "UEV, STE",
        GunsPerStation(0.5),
        digits=0,
    ),
    Target(
        "18b",
        "guns per station, 90 % quantile",
        "",
        Band(35, 28, 44),
        "UEV, STE",
        GunsPerStation(0.9),
        digits=0,
    ),
)
