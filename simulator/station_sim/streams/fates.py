"""What becomes of each record: decided from one number per record, and the station's outages.

Works on columns of due times, knows neither values nor topics; so a ledger of a month needs no
record made. How often things happen is `imperfections`', spoilt values are `malformed`'s.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from station_sim.streams.imperfections import Rates
from station_sim.streams.noise import Bits, Floats, Ints, another, uniforms
from station_sim.streams.outages import Outages
from station_sim.streams.record import FATES, Fate

Codes = npt.NDArray[np.uint8]

WHOLE, LOST, LATE, VERY_LATE, SWAPPED, DUPLICATED, MALFORMED, OUTAGE_LOST, REPLAYED = (
    FATES.index(fate) for fate in Fate
)
LATE_MS = (2_001.0, 60_000.0)
VERY_LATE_MS = (60_001.0, 600_000.0)
RETRY_MS = (200.0, 5_000.0)
"""When a record that was sent twice is sent again, after the first time."""

REPLAY_SPEED = 20
"""How much faster than they were due an uplink replays records (an estimate)."""

AFTER_NEXT_MS = 1
"""A swapped record goes out this long after its successor was due."""


@dataclass(slots=True)
class Fates:
    """Per record of a schedule: a code (index into `FATES`) and a delay of its sending.

    A duplicate's delay is that of its second copy.
    """

    codes: Codes
    delays_ms: Ints

    def sent(self) -> npt.NDArray[np.bool_]:
        """Which records go out at all."""
        found: npt.NDArray[np.bool_] = (self.codes != LOST) & (self.codes != OUTAGE_LOST)
        return found


def decide(due_ms: Ints, period_ms: Ints, bits: Bits, rates: Rates, outages: Outages) -> Fates:
    """The fates of records with these due times; `bits` are each one's own."""
    fates = Fates(np.zeros(len(due_ms), dtype=np.uint8), np.zeros(len(due_ms), dtype=np.int64))
    _strike(fates, period_ms, bits, rates)
    _cut_off(fates, due_ms, rates, outages)
    return fates


def _strike(fates: Fates, period_ms: Ints, bits: Bits, rates: Rates) -> None:
    """Random fates, which exclude each other: one number falls into one of their ranges."""
    # The lowest bits of the number tell the fate: others draw noise from the same bits' successors.
    shares = (
        (LOST, rates.lost),
        (LATE, rates.late),
        (VERY_LATE, rates.very_late),
        (SWAPPED, rates.swapped),
        (DUPLICATED, rates.duplicated),
        (MALFORMED, rates.malformed),
    )
    bounds = np.cumsum([share for _, share in shares])
    threshold = np.uint64(min(int(bounds[-1] * 2.0**64), 2**64 - 1))
    struck = np.flatnonzero(bits < threshold)
    if not len(struck):
        return
    drawn = bits[struck]
    kinds = np.searchsorted(bounds, uniforms(drawn), side="right")
    codes = np.array([code for code, _ in shares] + [WHOLE], dtype=np.uint8)[kinds]
    spread = uniforms(another(drawn))
    delays = np.zeros(len(struck))
    for code, (low, high) in ((LATE, LATE_MS), (VERY_LATE, VERY_LATE_MS), (DUPLICATED, RETRY_MS)):
        delays = np.where(codes == code, _between(spread, low, high), delays)
    delays = np.where(codes == SWAPPED, period_ms[struck] + AFTER_NEXT_MS, delays)
    fates.codes[struck] = codes
    fates.delays_ms[struck] = np.rint(delays).astype(np.int64)


def _cut_off(fates: Fates, due_ms: Ints, rates: Rates, outages: Outages) -> None:
    """What is due in an outage is replayed after it, the oldest of it lost from the buffer."""
    if not len(outages.begins_ms) or not len(due_ms):
        return
    places = np.searchsorted(outages.begins_ms, due_ms, side="right") - 1
    inside = np.flatnonzero((places >= 0) & (due_ms < outages.ends_ms[places]))
    if not len(inside):
        return
    begins, ends = outages.begins_ms[places[inside]], outages.ends_ms[places[inside]]
    kept_from = begins + np.rint((ends - begins) * (1 - rates.kept)).astype(np.int64)
    is_kept = due_ms[inside] >= kept_from
    sent_ms = ends + (due_ms[inside] - kept_from) // REPLAY_SPEED
    fates.codes[inside] = np.where(is_kept, REPLAYED, OUTAGE_LOST)
    fates.delays_ms[inside] = np.where(is_kept, sent_ms - due_ms[inside], 0)


def _between(spread: Floats, low: float, high: float) -> Floats:
    """Log-uniform: short delays are the usual ones."""
    found: Floats = low * (high / low) ** spread
    return found
