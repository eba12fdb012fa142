"""What a kilowatt-hour costs at a station, half hour by half hour, month by month.

Time-of-use periods and ratios are Guangdong's since October 2021 (notice of September 2021): peak
10-12 and 14-19, valley 00-08, the rest flat; peak : flat : valley 1.7 : 1 : 0.38; in July to
September sharp 11-12 and 15-17, 25 % above peak. Left out so far: sharp prices on hot days.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from station_sim.world.random_streams import random_stream

SHARP, PEAK, FLAT, VALLEY = "00", "01", "02", "03"
HALF_HOURS = 48
SUMMER_MONTHS = (7, 8, 9)
RATIOS: Mapping[str, float] = {SHARP: 1.7 * 1.25, PEAK: 1.7, FLAT: 1.0, VALLEY: 0.38}
FLAT_PRICE_CNY_PER_KWH = (0.62, 0.72)  # an estimate, grid charges included
SERVICE_FEE_CNY_PER_KWH = (0.20, 0.60)  # an estimate for urban stations
VALLEY_SERVICE_SHARE = (0.6, 1.0)  # the service fee is often lower in the valley
USUAL_DIAL_NO, OTHER_DIAL_NO, OTHER_DIAL_SHARE = "2100", "2101", 0.10


@dataclass(frozen=True, slots=True)
class Tariff:
    """A station's prices for one month, in CNY/kWh by period code; `codes` has 48 half hours."""

    dial_no: str
    codes: tuple[str, ...]
    energy_price: Mapping[str, float]
    service_fee: Mapping[str, float]


def period_codes(month: int) -> tuple[str, ...]:
    """The period code of each half hour of a day, from 00:00, in `month` (1 to 12)."""
    return tuple(_period(half_hour / 2, month) for half_hour in range(HALF_HOURS))


def monthly_tariff(seed: int, station: str, year: int, month: int) -> Tariff:
    """The tariff that holds at a station from the 1st of a month.

    The energy price is the whole city's; the service fee is the station's own; each month 10 % of
    the stations carry another dial number (an estimate).
    """
    flat = random_stream(seed, "tariffs", year, month).uniform(*FLAT_PRICE_CNY_PER_KWH)
    fees = random_stream(seed, station, "service fee")
    service = fees.uniform(*SERVICE_FEE_CNY_PER_KWH)
    valley_service = service * fees.uniform(*VALLEY_SERVICE_SHARE)
    is_other = random_stream(seed, station, "dial", year, month).random() < OTHER_DIAL_SHARE
    return Tariff(
        dial_no=OTHER_DIAL_NO if is_other else USUAL_DIAL_NO,
        codes=period_codes(month),
        energy_price={code: round(flat * ratio, 4) for code, ratio in RATIOS.items()},
        service_fee={
            code: round(valley_service if code == VALLEY else service, 4) for code in RATIOS
        },
    )


def _period(hour: float, month: int) -> str:
    if hour < 8:
        return VALLEY
    if 10 <= hour < 12 or 14 <= hour < 19:
        is_sharp = month in SUMMER_MONTHS and (11 <= hour < 12 or 15 <= hour < 17)
        return SHARP if is_sharp else PEAK
    return FLAT
