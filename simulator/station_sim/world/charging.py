"""How a battery takes energy: power against state of charge, in closed form.

A charge is a staircase of one-percent steps of state of charge, each at constant power. So the
state of charge, the power and the energy at any instant are exact, and the world needs no event
between the start of a charge and its end. Who limits the power is `sharing`'s business.
"""

from dataclasses import dataclass

import numpy as np

from station_sim.world.steps import SECONDS_PER_HOUR, Floats

CURVE_SOCS = (0, 10, 20, 30, 40, 50, 60, 70, 80, 85, 90, 95, 100)
MEASURED_CURVE = (0.95, 0.95, 0.94, 0.93, 0.91, 0.82, 0.72, 0.61, 0.48, 0.38, 0.31, 0.23, 0.15)
"""Mean of 113 measured DC curves, share of the vehicle's own peak against SoC in percent, computed
from chargeprice/open-ev-data of April 2022."""

LOW_CURVE = (0.87, 0.87, 0.84, 0.77, 0.77, 0.68, 0.56, 0.46, 0.26, 0.22, 0.17, 0.12, 0.06)
HIGH_CURVE = (1.0, 1.0, 1.0, 1.0, 1.0, 0.98, 0.97, 0.94, 0.68, 0.60, 0.50, 0.39, 0.29)
"""Their tenth and ninetieth percentiles."""

CHARGE_EFFICIENCY = 0.97
"""Battery side: 3 % of what the gun delivers becomes heat (an estimate)."""

VOLTS_RISE = 0.12
"""By which a pack's voltage rises from 10 to 100 % (an estimate)."""

TEMPERATURES_C = (-20.0, -10.0, 0.0, 10.0, 20.0, 36.0, 38.0)
TEMPERATURE_FACTORS = (0.28, 0.42, 0.60, 0.85, 1.0, 1.0, 0.9)
"""Power accepted against warmth: estimates through the INL's finding that after 30 minutes at 0 °C
the state of charge is 36 % lower than at 25 °C."""

STEPS = 100
RAMP_STEP_S = 1.0
MIDDLES = np.arange(STEPS) + 0.5
_MEAN, _LOW, _HIGH = (
    np.interp(MIDDLES, CURVE_SOCS, curve) for curve in (MEASURED_CURVE, LOW_CURVE, HIGH_CURVE)
)


def temperature_factor(outdoor_c: float) -> float:
    """The share of its power that a battery accepts at a temperature."""
    return float(np.interp(outdoor_c, TEMPERATURES_C, TEMPERATURE_FACTORS))


def curve(shape: float) -> Floats:
    """Share of peak at the middle of each one-percent step.

    `shape` is 0 for the mean curve, -1 for the tenth percentile, 1 for the ninetieth.
    """
    other = _HIGH if shape >= 0 else _LOW
    shares: Floats = _MEAN + abs(shape) * (other - _MEAN)
    return shares


@dataclass(frozen=True, slots=True)
class Battery:
    """Usable capacity, the power accepted at the curve's peak, the curve, the voltage at 10 %."""

    capacity_kwh: float
    peak_kw: float
    shape: float = 0.0
    volts_low: float = 350.0

    def accepted_kw(self) -> Floats:
        """Power accepted within each one-percent step: 100 values."""
        return self.peak_kw * curve(self.shape)

    def volts(self, socs_percent: Floats) -> Floats:
        """Voltage of the pack."""
        return self.volts_low * (1 + VOLTS_RISE * (socs_percent - 10) / 90)


@dataclass(frozen=True, slots=True)
class Staircase:
    """Steps of a charge: `times_s` has one instant more than there are powers.

    At each instant stand the state of charge and the energy at the gun since the first instant.
    """

    times_s: Floats
    socs_percent: Floats
    energies_kwh: Floats
    powers_kw: Floats


def staircase(
    accepted_kw: Floats,
    capacity_kwh: float,
    *,
    soc_from: float,
    soc_to: float,
    limit_kw: float,
    begin_s: float,
    ramp_kw_per_s: float | None = None,
) -> Staircase:
    """A charge from one state of charge to another under a limit, after a ramp if there is one.

    Raises `ValueError` for a limit of nothing or a state of charge that does not grow.
    """
    if limit_kw <= 0:
        raise ValueError(f"limit_kw must be > 0, got {limit_kw}")
    if not 0 <= soc_from < soc_to <= STEPS:
        raise ValueError(f"a charge goes up within 0 to 100 %, not from {soc_from} to {soc_to}")
    kwh_per_percent = capacity_kwh / 100 / CHARGE_EFFICIENCY
    ramp_kw, ramp_socs = _ramp(
        accepted_kw, kwh_per_percent, soc_from, soc_to, limit_kw, ramp_kw_per_s
    )
    soc = ramp_socs[-1]
    first = int(soc)
    last = int(np.ceil(soc_to))
    socs = np.arange(first, last + 1, dtype=float)
    socs[0], socs[-1] = soc, soc_to
    powers = np.minimum(accepted_kw[first:last], limit_kw)
    if len(ramp_kw):
        socs, powers = np.concatenate((ramp_socs[:-1], socs)), np.concatenate((ramp_kw, powers))
    step_kwh = np.diff(socs) * kwh_per_percent
    times, energies = np.empty(len(socs)), np.empty(len(socs))
    times[0], energies[0] = begin_s, 0.0
    np.cumsum(step_kwh / powers * SECONDS_PER_HOUR, out=times[1:])
    times[1:] += begin_s
    np.cumsum(step_kwh, out=energies[1:])
    return Staircase(times, socs, energies, powers)


def _ramp(
    accepted_kw: Floats,
    kwh_per_percent: float,
    soc_from: float,
    soc_to: float,
    limit_kw: float,
    ramp_kw_per_s: float | None,
) -> tuple[list[float], list[float]]:
    """Powers of the seconds before full power, and the states of charge around them."""
    powers: list[float] = []
    socs = [soc_from]
    if ramp_kw_per_s is None:
        return powers, socs
    kw = ramp_kw_per_s / 2
    while kw < min(limit_kw, accepted_kw[int(socs[-1])]):
        soc = socs[-1] + kw * RAMP_STEP_S / SECONDS_PER_HOUR / kwh_per_percent
        if soc >= soc_to:
            break
        powers.append(kw)
        socs.append(soc)
        kw += ramp_kw_per_s * RAMP_STEP_S
    return powers, socs
