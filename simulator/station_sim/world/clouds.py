"""Clouds over one station, minute by minute: the share of a clear sky's light that comes through.

A series per station and day, around the share that belongs to the day's condition, so that any
minute can be had without the days before.
"""

from datetime import date
from math import exp, sqrt

import numpy as np

from station_sim.world.random_streams import random_stream
from station_sim.world.steps import Floats
from station_sim.world.weather import ENERGY_SHARE, Condition

MINUTES = 1441  # knots of a day, both midnights included
MEMORY_MIN = 8.0
# Standard deviations in shares of a clear sky: 0.22 on cloudy days; all are estimates.
SPREAD = {Condition.CLEAR: 0.03, Condition.CLOUDY: 0.22, Condition.OVERCAST: 0.09}
RAIN_SPREAD = 0.05
SHARE_MIN, SHARE_MAX = 0.05, 1.10  # light through thick cloud; light from clouds' edges


def clearness(seed: int, entity: str, day: date, condition: Condition) -> Floats:
    """Shares of a clear sky at each minute of a day, both midnights included: 1441 of them."""
    rng = random_stream(seed, entity, "clouds", day.isoformat())
    memory = exp(-1 / MEMORY_MIN)
    news_sd = sqrt(1 - memory**2)
    state = rng.gauss(0, 1)
    states = [state]
    for _ in range(MINUTES - 1):
        state = memory * state + news_sd * rng.gauss(0, 1)
        states.append(state)
    shares = ENERGY_SHARE[condition] + SPREAD.get(condition, RAIN_SPREAD) * np.array(states)
    return np.clip(shares, SHARE_MIN, SHARE_MAX)
