"""A month of a hundred stations against the figures that the world is fitted to.

Prints what it measures (`pytest -m full -s`). The judge of saved runs is `station_sim.validation`,
which knows nothing of the world; this is for whoever changes an input of it.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pandas as pd
import pytest

from station_sim.profiles import load_profile
from station_sim.world.charging_network import Network
from station_sim.world.profile import STATION_TIMEZONE, Profile
from station_sim.world.sessions import End, Session
from station_sim.world.site import SiteType

DAY_S = 86_400.0
Ranges = dict[str, tuple[float, float]]


def month_of(profile: Profile, days: int) -> Iterator[dict[str, float | str]]:
    """A row for each order that ended, station by station, memory flat."""
    for story in Network(profile).stories():
        for day in range(days):
            begin_s, end_s = day * DAY_S, (day + 1) * DAY_S
            story.advance(end_s)
            for session in story.sessions(begin_s, end_s):
                if begin_s <= session.power_off_s < end_s:
                    yield _row(str(story.site.site_type), profile, session)
            story.forget(begin_s)


def _row(site_type: str, profile: Profile, session: Session) -> dict[str, float | str]:
    return {
        "type": site_type,
        "kwh": session.energies_kwh[-1],
        "minutes": (session.power_off_s - session.power_on_s) / 60,
        "arrival": session.car.arrival_soc,
        "departure": session.socs_percent[-1],
        "peak_kw": max(session.powers_kw),
        "hour": profile.local_time(session.power_on_s).hour,
        "abnormal": session.end is End.ABNORMAL,
    }


def guns_of(profile: Profile, site_type: SiteType) -> int:
    sites = Network(profile).sites
    return sum(len(site.guns) for site in sites if site.site_type is site_type)


def measured(profile: Profile, days: int) -> dict[str, float]:
    orders = pd.DataFrame(month_of(profile, days))
    of_peak = orders.kwh / (orders.minutes / 60) / orders.peak_kw
    found = {
        "1 energy kWh": orders.kwh.mean(),
        "2 CV of energy": orders.kwh.std() / orders.kwh.mean(),
        "2 median/mean": orders.kwh.median() / orders.kwh.mean(),
        "3 minutes": orders.minutes.mean(),
        "4 CV of minutes": orders.minutes.std() / orders.minutes.mean(),
        "5 correlation": orders.kwh.corr(orders.minutes),
        "6 arrival": orders.arrival.mean(),
        "6 sd": orders.arrival.std(),
        "7 departure": orders.departure.mean(),
        "7 from 80 %": (orders.departure >= 80).mean(),
        "8 mean/peak": of_peak.mean(),
        "25 abnormal": orders.abnormal.mean(),
    }
    for site_type in (SiteType.URBAN, SiteType.CORRIDOR, SiteType.HUB):
        there = orders[orders.type == site_type]
        found[f"12 {site_type}"] = len(there) / guns_of(profile, site_type) / days
    urban, corridor = (orders[orders.type == each].hour for each in ("urban", "corridor"))
    found["14 12-16"] = urban.between(12, 15).mean()
    found["14 23-01"] = urban.isin((23, 0)).mean()
    found["14 05-07"] = urban.between(5, 6).mean()
    found["15 09-21"] = corridor.between(9, 20).mean()
    return found


TARGETS: Ranges = {
    "1 energy kWh": (23.04, 28.16),
    "2 CV of energy": (0.50, 0.70),
    "2 median/mean": (0.84, 0.97),
    "3 minutes": (43.8, 53.6),
    "4 CV of minutes": (0.43, 0.65),
    "5 correlation": (0.50, 0.80),
    "6 arrival": (32, 44),
    "6 sd": (14, 22),
    "7 departure": (77, 87),
    "7 from 80 %": (0.60, 0.76),
    "8 mean/peak": (0.55, 0.75),
    "12 urban": (3.66, 4.95),
    "12 corridor": (4.42, 5.98),
    "12 hub": (6.72, 9.09),
    "14 12-16": (0.215, 0.265),
    "14 23-01": (0.088, 0.138),
    "14 05-07": (0.077, 0.127),
    "15 09-21": (0.76, 0.86),
    "25 abnormal": (0.02, 0.04),
}


@pytest.mark.full
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_ordinary_month_looks_like_the_sources(seed: int) -> None:
    found = measured(replace(load_profile("city-100"), seed=seed), days=30)
    for name, value in found.items():
        print(f"{name:16s} {value:8.3f}  {TARGETS[name]}")
    missed = {
        name: value
        for name, value in found.items()
        if not TARGETS[name][0] <= value <= TARGETS[name][1]
    }
    assert {} == missed


@pytest.mark.full
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_holiday_on_the_motorways_looks_like_national_day_2025(seed: int) -> None:
    holiday = replace(load_profile("holiday-corridor"), seed=seed)
    ordinary = replace(holiday, start=datetime(2025, 9, 8, tzinfo=STATION_TIMEZONE))
    busy, usual = (
        pd.DataFrame(month_of(profile, days)) for profile, days in ((holiday, 8), (ordinary, 10))
    )
    guns = guns_of(holiday, SiteType.CORRIDOR)
    ratio = (busy.kwh.sum() / 8) / (usual.kwh.sum() / 10)
    print(f"16 {ratio:.2f} {len(busy) / guns / 8:.2f} {busy.kwh.mean():.2f}")
    assert pytest.approx(2.59, abs=0.3) == ratio
    assert pytest.approx(13.3, rel=0.15) == len(busy) / guns / 8
    assert pytest.approx(23.8, rel=0.10) == busy.kwh.mean()
