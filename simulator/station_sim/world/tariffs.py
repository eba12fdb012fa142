"""What a kilowatt-hour costs at a station, half hour by half hour, and what a charge costs.

The energy price is the whole city's, the service fee the station's own; both change on the 1st of
a month only, periods on hot days too. Periods and ratios are `tariff_schemes`'.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from math import inf
from random import Random

import numpy as np
import numpy.typing as npt

from station_sim.world.random_streams import random_stream
from station_sim.world.site import SiteType
from station_sim.world.steps import Floats
from station_sim.world.tariff_schemes import (
    CODES,
    FLAT,
    HALF_HOURS,
    OTHER,
    PEAK,
    SCHEMES,
    SHARP,
    VALLEY,
    period_codes,
)
from station_sim.world.weather import Weather

__all__ = [
    "FLAT",
    "OTHER",
    "PEAK",
    "SHARP",
    "VALLEY",
    "Cost",
    "Tariff",
    "Tariffs",
    "monthly_tariff",
    "period_codes",
]

Slots = npt.NDArray[np.int64]

HALF_HOUR_S = 1800.0
KNOWN_DAYS = 40
# A city's flat price, grid charges included, and how far it moves from month to month: estimates.
FLAT_PRICE_CNY_PER_KWH, FLAT_PRICE_MOVES = (0.63, 0.69), (-0.01, 0.01)
# Service fees in CNY/kWh by kind of site: estimates, as is that most stations are near the
# lower end, where they compete, and that seven of ten lower the fee in the valley.
SERVICE_FEE_CNY_PER_KWH = {
    SiteType.URBAN: (0.20, 0.60),
    SiteType.CORRIDOR: (0.40, 0.80),
    SiteType.HUB: (0.20, 0.40),
    SiteType.DEPOT: (0.20, 0.40),
}
SERVICE_FEE_SHAPE = (1.2, 3.5)  # of a beta distribution between the two
VALLEY_DISCOUNT_SHARE, VALLEY_SERVICE_SHARE = 0.7, (0.4, 0.9)
USUAL_DIAL_NO, OTHER_DIAL_NO, OTHER_DIAL_SHARE = "2100", "2101", 0.10


@dataclass(frozen=True, slots=True)
class Tariff:
    """A station's prices on a day, in CNY/kWh by period code; `codes` has 48 half hours.

    Prices are known for all five codes; a period that the scheme does not have costs 0.0.
    """

    dial_no: str
    codes: tuple[str, ...]
    energy_price: Mapping[str, float]
    service_fee: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a charge costs, unrounded, and the energy that it took in each period."""

    energy_cny: float
    service_cny: float
    kwh_by_code: Mapping[str, float]

    @property
    def total_cny(self) -> float:
        """What the driver pays."""
        return self.energy_cny + self.service_cny


class Tariffs:
    """A station's tariffs, day by day. Instants are story seconds."""

    def __init__(self, seed: int, entity: str, site_type: SiteType, weather: Weather) -> None:
        self._seed, self._entity, self._site_type = seed, entity, site_type
        self._scheme = weather.city.price_scheme
        self._weather, self._days = weather, weather.days
        self._known: dict[int, tuple[Floats, tuple[str, ...]]] = {}

    def on(self, day: date) -> Tariff:
        """The tariff of a date."""
        is_hot = self._weather.day(day).is_hot
        return monthly_tariff(
            self._seed, self._entity, day.year, day.month, self._scheme, self._site_type, is_hot
        )

    def at(self, at_s: float) -> Tariff:
        """The tariff that holds at an instant."""
        return self.on(self._days.date(self._days.number(at_s)))

    def prices(self, times_s: Floats) -> Floats:
        """What a kilowatt-hour costs at instants, service included, in CNY."""
        if not len(times_s):
            return np.zeros(0)
        slots = np.floor_divide(times_s + self._days.offset_s, HALF_HOUR_S).astype(np.int64)
        found: Floats = self._slot_prices(slots).sum(axis=1)
        return found

    def cost(
        self, times_s: Sequence[float], energies_kwh: Sequence[float], end_s: float = inf
    ) -> Cost:
        """What a charge costs whose energy grows linearly between boundaries, until `end_s`.

        There is at least one boundary.
        """
        end_s = min(end_s, times_s[-1])
        offset_s = self._days.offset_s
        first = int((times_s[0] + offset_s) // HALF_HOUR_S)
        last = int((end_s + offset_s) // HALF_HOUR_S)
        slots = np.arange(first, last + 1)
        inner_s = slots[1:] * HALF_HOUR_S - offset_s
        bounds_s = np.concatenate(([times_s[0]], inner_s, [end_s]))
        kwh = np.diff(np.interp(bounds_s, times_s, energies_kwh))
        energy_cny, service_cny = kwh @ self._slot_prices(slots)
        return Cost(float(energy_cny), float(service_cny), self._by_code(slots, kwh))

    def _by_code(self, slots: Slots, kwh: Floats) -> dict[str, float]:
        found = dict.fromkeys(CODES, 0.0)
        for slot, energy_kwh in zip(slots.tolist(), kwh.tolist(), strict=True):
            codes = self._of_day(slot // HALF_HOURS)[1]
            found[codes[slot % HALF_HOURS]] += energy_kwh
        return found

    def _slot_prices(self, slots: Slots) -> Floats:
        """Energy and service price of half hours, numbered from the first day's midnight."""
        numbers, halves = np.divmod(slots, HALF_HOURS)
        if (numbers == numbers[0]).all():
            return self._of_day(int(numbers[0]))[0][halves]
        found = np.empty((len(slots), 2))
        for number in np.unique(numbers):
            on_day = numbers == number
            found[on_day] = self._of_day(int(number))[0][halves[on_day]]
        return found

    def _of_day(self, number: int) -> tuple[Floats, tuple[str, ...]]:
        """A day's energy prices and service fees, shape (48, 2), and its codes."""
        if number not in self._known:
            if len(self._known) >= KNOWN_DAYS:
                self._known.clear()
            tariff = self.on(self._days.date(number))
            self._known[number] = _price_table(tariff), tariff.codes
        return self._known[number]


@lru_cache(maxsize=1024)
def monthly_tariff(
    seed: int,
    station: str,
    year: int,
    month: int,
    scheme: str = "guangdong",
    site_type: SiteType = SiteType.URBAN,
    is_hot: bool = False,
) -> Tariff:
    """The tariff that holds at a station on the hot or the other days of a month.

    Each month 10 % of the stations carry another dial number (an estimate).
    """
    ratios = SCHEMES[scheme].ratios
    flat = _flat_price(seed, year, month)
    fees = _service_fees(random_stream(seed, station, "service fee"), site_type)
    is_other = random_stream(seed, station, "dial", year, month).random() < OTHER_DIAL_SHARE
    return Tariff(
        dial_no=OTHER_DIAL_NO if is_other else USUAL_DIAL_NO,
        codes=period_codes(month, scheme, is_hot),
        energy_price={code: round(flat * ratios.get(code, 0.0), 4) for code in CODES},
        service_fee={code: fees[code] if code in ratios else 0.0 for code in CODES},
    )


def _flat_price(seed: int, year: int, month: int) -> float:
    base = random_stream(seed, "tariffs").uniform(*FLAT_PRICE_CNY_PER_KWH)
    return base + random_stream(seed, "tariffs", year, month).uniform(*FLAT_PRICE_MOVES)


def _service_fees(rng: Random, site_type: SiteType) -> dict[str, float]:
    low, high = SERVICE_FEE_CNY_PER_KWH[site_type]
    usual = low + (high - low) * rng.betavariate(*SERVICE_FEE_SHAPE)
    lowers, share = rng.random() < VALLEY_DISCOUNT_SHARE, rng.uniform(*VALLEY_SERVICE_SHARE)
    in_valley = usual * share if lowers else usual
    return {code: round(in_valley if code in (VALLEY, OTHER) else usual, 4) for code in CODES}


def _price_table(tariff: Tariff) -> Floats:
    """Energy price and service fee of a day's 48 half hours, shape (48, 2)."""
    return np.array(
        [(tariff.energy_price[code], tariff.service_fee[code]) for code in tariff.codes]
    )
