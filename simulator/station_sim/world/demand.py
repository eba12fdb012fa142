"""How many drivers come to a type of site, and when in the day: tables of section 2 of the notes.

Marks: from a source where one is named, otherwise an estimate. How the figures become arrivals is
`arrivals`' business.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from station_sim.world.site import SiteType

# Percent of a day's sessions that start in each local hour.
# fmt: off
URBAN_HOURS = (
    4.9, 3.0, 2.1, 1.9, 2.7, 5.0, 5.2, 3.8, 3.0, 2.9, 3.3, 4.4,
    6.2, 6.4, 6.0, 5.3, 4.4, 3.7, 3.4, 3.3, 3.6, 4.1, 5.0, 6.4,
)
"""An estimate shaped to the peaks 05-07, 12-16 and 23-01 of the EVCIPA white paper 2022."""

CORRIDOR_WEEKDAY_HOURS = (
    0.5, 0.7, 0.2, 0.2, 0.1, 0.9, 1.9, 2.1, 3.8, 5.6, 4.9, 7.3,
    7.4, 6.4, 6.2, 7.7, 7.2, 8.1, 8.9, 6.5, 4.4, 5.1, 2.5, 1.4,
)
CORRIDOR_WEEKEND_HOURS = (
    1.0, 1.4, 0.8, 0.4, 0.4, 0.2, 0.8, 1.2, 2.6, 5.5, 6.3, 8.1,
    6.1, 7.3, 8.5, 9.5, 9.3, 7.5, 6.7, 4.9, 3.6, 3.8, 2.6, 1.4,
)
"""Both computed from the session table of DESL-EPFL/Level-3-EV-charging-dataset."""

DEPOT_HOURS = (
    9.0, 7.0, 5.0, 4.0, 4.0, 4.0, 2.0, 1.0, 1.0, 1.0, 1.5, 2.5,
    3.5, 3.0, 2.0, 1.5, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 11.5,
)
"""An estimate: fleets return in the evening and charge from 22 to 06."""

MONTH_FACTORS = (0.95, 0.86, 0.97, 0.98, 0.96, 1.05, 1.12, 1.12, 1.02, 1.00, 0.98, 1.02)
"""Direction of February, June and July from the EVCIPA bulletins of 2024; values are estimates."""
# fmt: on


@dataclass(frozen=True, slots=True)
class Demand:
    """Sessions of a type of site.

    `per_gun_day` is the base; `rain` are factors for light, moderate and heavy; `elasticity` is
    d ln demand / d ln price; `jump` multiplies starts just after the price fell into the valley;
    `fee_cny` is the service fee that is usual at the type.
    """

    per_gun_day: float
    hours: tuple[float, ...]
    weekend_hours: tuple[float, ...]
    saturday: float
    sunday: float
    holiday: float
    spring_festival: float
    eve: float
    edge_days: float
    follows_months: bool
    rain: tuple[float, float, float]
    elasticity: float
    jump: float
    day_noise_sd: float
    fee_cny: float


DEMANDS: Mapping[SiteType, Demand] = {
    SiteType.URBAN: Demand(
        per_gun_day=4.3,  # 109 kWh per pile and day (EVCIPA) by 25.6 kWh a session (white paper)
        hours=URBAN_HOURS,
        weekend_hours=URBAN_HOURS,
        saturday=1.0,
        sunday=0.97,
        holiday=0.85,
        spring_festival=0.65,
        eve=1.0,
        edge_days=1.0,
        follows_months=True,
        rain=(0.97, 0.93, 0.85),
        elasticity=-0.76,  # Shenzhen (Kuang et al. 2024)
        jump=1.6,
        day_noise_sd=0.08,
        fee_cny=0.29,
    ),
    SiteType.CORRIDOR: Demand(
        per_gun_day=5.2,  # ordinary day of the motorways (National Energy Administration, 2025)
        hours=CORRIDOR_WEEKDAY_HOURS,
        weekend_hours=CORRIDOR_WEEKEND_HOURS,
        saturday=0.95,
        sunday=1.05,
        holiday=2.9,  # fitted: 2.59 times the energy on National Day 2025, with some turned away
        spring_festival=1.7,  # February 2026: 8.8 against 5.2
        eve=1.5,
        edge_days=1.14,  # 17.49 GWh on the first day against 15.36 on average
        follows_months=True,
        rain=(0.95, 0.90, 0.80),
        elasticity=-0.3,
        jump=1.0,
        day_noise_sd=0.12,
        fee_cny=0.48,
    ),
    SiteType.HUB: Demand(
        per_gun_day=7.9,  # the largest hub of Shenzhen: 5,000 cars a day at 637 points
        hours=URBAN_HOURS,
        weekend_hours=URBAN_HOURS,
        saturday=1.02,
        sunday=0.98,
        holiday=0.95,
        spring_festival=0.6,
        eve=1.0,
        edge_days=1.0,
        follows_months=False,
        rain=(1.02, 1.03, 0.95),
        elasticity=-0.9,
        jump=2.0,
        day_noise_sd=0.05,
        fee_cny=0.24,
    ),
    SiteType.DEPOT: Demand(
        per_gun_day=2.5,
        hours=DEPOT_HOURS,
        weekend_hours=DEPOT_HOURS,
        saturday=0.9,
        sunday=0.7,
        holiday=0.6,
        spring_festival=0.4,
        eve=1.0,
        edge_days=1.0,
        follows_months=False,
        rain=(1.0, 1.0, 1.0),
        elasticity=0.0,
        jump=1.0,
        day_noise_sd=0.05,
        fee_cny=0.24,
    ),
}
COLD_FACTOR, HOT_FACTOR = 1.10, 1.06
"""More energy per kilometre below 0 and above 35 degrees Celsius."""
