"""What a host takes from the grid for what it gives to guns, and which of its modules run.

A host has 20 module slots. It runs as many modules as lose least, near the load at which they are
most efficient, so that a host that serves one car is as efficient as a full one. How its guns share
its power is not decided here.
"""

import numpy as np

from station_sim.world.site import MODULES
from station_sim.world.steps import Floats

# AC to DC by a module's load: estimates; a vendor states more than 96 % at the peak.
LOADS = np.array([0.10, 0.25, 0.50, 0.75, 1.00])
RECTIFIER_EFFICIENCIES = np.array([0.88, 0.935, 0.955, 0.96, 0.953])
DCDC_EFFICIENCY = 0.985  # an estimate
BEST_EFFICIENCY = float(RECTIFIER_EFFICIENCIES.max()) * DCDC_EFFICIENCY
FULL_EFFICIENCY = float(RECTIFIER_EFFICIENCIES[-1]) * DCDC_EFFICIENCY
HOST_STANDBY_KW = 0.09  # an estimate: 60 to 120 W
BEST_LOAD = float(LOADS[RECTIFIER_EFFICIENCIES.argmax()])
QUANTUM_KW = 0.1

# Full power to 55 °C inside, half at 75 °C, then off: a 20 kW module's data sheet (yewsun.com).
DERATING_C = (55.0, 75.0)
DERATED_SHARE = 0.5
INSIDE_ABOVE_OUTSIDE_K = 18.0  # inside a loaded cabinet (an estimate)


def modules_running(dc_kw: Floats, rated_kw: float) -> Floats:
    """How many of a host's modules run for its DC power, 1 to 20: as many as lose least.

    That is one of the two numbers that bring modules nearest to their best load.
    """
    module_kw = rated_kw / MODULES
    wanted = dc_kw / (BEST_LOAD * module_kw)
    fewer = np.maximum(np.floor(wanted), np.maximum(np.ceil(dc_kw / module_kw), 1.0))
    more = np.clip(np.ceil(wanted), 1.0, MODULES)
    is_fewer = _rectifier(dc_kw / fewer / module_kw) >= _rectifier(dc_kw / more / module_kw)
    found: Floats = np.where(is_fewer, fewer, more)
    return np.minimum(found, MODULES)


def host_ac_kw(dc_kw: Floats, rated_kw: float) -> Floats:
    """AC intake for a host's DC power at the guns: both stages, and the host's own standby.

    It rises with `dc_kw`, all the way. The guns' standby is in `auxiliaries`.
    """
    loads = dc_kw / modules_running(dc_kw, rated_kw) / (rated_kw / MODULES)
    found: Floats = dc_kw / (_rectifier(loads) * DCDC_EFFICIENCY) + HOST_STANDBY_KW
    return found


def _rectifier(loads: Floats) -> Floats:
    found: Floats = np.interp(loads, LOADS, RECTIFIER_EFFICIENCIES)
    return found


def host_limit_kw(rated_kw: float, outdoor_c: float, working_modules: int = MODULES) -> float:
    """DC power that a host's working modules can give at an outdoor temperature."""
    return rated_kw * working_modules / MODULES * derating(outdoor_c + INSIDE_ABOVE_OUTSIDE_K)


def derating(inside_c: float) -> float:
    """The share of its power that a module gives at its own ambient temperature."""
    full_c, half_c = DERATING_C
    if inside_c > half_c:
        return 0.0
    return 1.0 - (1.0 - DERATED_SHARE) * max(0.0, inside_c - full_c) / (half_c - full_c)


def module_kw(
    dc_kw: Floats, rated_kw: float, first: int = 0, quantum_kw: float = QUANTUM_KW
) -> Floats:
    """Power of each module slot at instants, shape (instants, 20), beginning with slot `first`.

    Whole quanta are dealt out, so each row's sum is the host's power rounded to the quantum,
    and no module is above its rating (to a quantum, where the rating is no multiple of it).
    """
    quanta = np.rint(np.maximum(dc_kw, 0.0) / quantum_kw).astype(np.int64)
    rounded_kw = (quanta * quantum_kw).astype(np.float64)
    running = modules_running(rounded_kw, rated_kw).astype(np.int64)
    each, rest = np.divmod(quanta, running)
    slots = (np.arange(MODULES) - first) % MODULES
    runs = slots < running[:, None]
    dealt = np.where(runs, each[:, None] + (slots < rest[:, None]), 0)
    found: Floats = dealt * quantum_kw
    return found
