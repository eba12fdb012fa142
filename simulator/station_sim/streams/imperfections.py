"""What telemetry suffers on its way: how often, as one table that can be changed or switched off.

Rates are estimates (no measured ones were found); that uplinks buffer and replay, and that retries
send twice, is what OCPP implementations do. They are applied in `fates`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from station_sim.errors import LabError


class Cadence(StrEnum):
    """How often a topic speaks: the class that its rates go by."""

    SECOND = "1 s"
    QUARTER = "15 s"
    FIVE_MINUTES = "5 min"
    HOURLY = "hourly-daily"


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares (0 to 1) of a cadence's records. `late` are 2 to 60 s late, `very_late` more.

    `kept` is the share of an outage's records that the uplink still has afterwards: the newest.
    """

    lost: float
    late: float
    very_late: float
    swapped: float
    duplicated: float
    malformed: float
    kept: float


RATES = {
    Cadence.SECOND: Rates(0.003, 0.007, 0.001, 0.005, 0.001, 0.00005, 0.6),
    Cadence.QUARTER: Rates(0.002, 0.004, 0.001, 0.002, 0.001, 0.00005, 0.7),
    Cadence.FIVE_MINUTES: Rates(0.001, 0.002, 0.001, 0.0, 0.0005, 0.00005, 1.0),
    Cadence.HOURLY: Rates(0.0005, 0.001, 0.001, 0.0, 0.005, 0.00005, 1.0),
}
CADENCE_NAMES = {
    "1s": Cadence.SECOND,
    "15s": Cadence.QUARTER,
    "5min": Cadence.FIVE_MINUTES,
    "hourly": Cadence.HOURLY,
}
"""Cadences as profiles name them."""

NETWORK = "network"
NETWORK_NAMES = (
    "outage_every_days",
    "outage_median_s",
    "outage_q95_s",
    "skew_sd_s",
    "far_skew_share",
    "noise_share",
)
PERFECT = Rates(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Imperfections:
    """The whole layer; every part can be set to nothing.

    `outage_every_days` is the mean distance of a station's outages (infinite: none), which last
    lognormally. Clocks of hosts are off by a normal deviation, a share of them by much more.
    `noise_share` is the standard deviation of measured values, as a share of the value;
    `quantised` rounds values as meters do, else they have all their digits.
    """

    rates: dict[Cadence, Rates] = field(default_factory=lambda: dict(RATES))
    outage_every_days: float = 10.0
    outage_median_s: float = 240.0
    outage_q95_s: float = 3600.0
    skew_sd_s: float = 0.8
    far_skew_share: float = 0.01
    far_skew_s: tuple[float, float] = (30.0, 300.0)
    noise_share: float = 0.005
    quantised: bool = True
    gaps: bool = True

    @classmethod
    def of(cls, told: Mapping[str, Mapping[str, float]]) -> Self:
        """The usual ones, with what a profile tells: rates by cadence, and `network`'s values.

        Raises `LabError` for a name that is not among `CADENCE_NAMES` and the fields.
        """
        rates = dict(RATES)
        for name, changed in told.items():
            if name == NETWORK:
                continue
            cadence = _known(name, CADENCE_NAMES, "[imperfections]")
            for each, share in changed.items():
                _known(each, dict.fromkeys(Rates.__slots__), f"[imperfections.{name}]")
                if not 0 <= share <= 1:
                    raise LabError(f"imperfections.{name}.{each} must be 0 to 1, got {share}")
            rates[cadence] = replace(rates[cadence], **changed)
        network = told.get(NETWORK, {})
        for each, value in network.items():
            _known(each, dict.fromkeys(NETWORK_NAMES), f"[imperfections.{NETWORK}]")
            if value < 0:
                raise LabError(f"imperfections.{NETWORK}.{each} must be >= 0, got {value}")
        found = {name: network[name] for name in NETWORK_NAMES if name in network}
        return cls(rates=rates, **found)  # type: ignore[arg-type]  # all of them are floats

    @classmethod
    def none(cls) -> Self:
        """Everything arrives, in time, once, by right clocks, without noise; but quantised."""
        return cls(
            rates=dict.fromkeys(Cadence, PERFECT),
            outage_every_days=float("inf"),
            skew_sd_s=0.0,
            far_skew_share=0.0,
            noise_share=0.0,
            gaps=False,
        )

    def times(self, factor: float) -> Self:
        """The same with all rates of loss, lateness, swaps and so on multiplied."""
        return replace(
            self, rates={each: _times(rates, factor) for each, rates in self.rates.items()}
        )


def _known(name: str, known: Mapping[str, Any], where: str) -> Any:
    if name not in known:
        raise LabError(f"{where} knows no {name}; there are {', '.join(known)}")
    return known[name]


def _times(rates: Rates, factor: float) -> Rates:
    return Rates(
        rates.lost * factor,
        rates.late * factor,
        rates.very_late * factor,
        rates.swapped * factor,
        rates.duplicated * factor,
        rates.malformed * factor,
        rates.kept,
    )
