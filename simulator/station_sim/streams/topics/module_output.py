"""MODULE-OUTPUT-<MODULE>: what services of the modules would upload, every quarter of an hour.

A simulated result is plausible, not computed: it follows the station's power of the moment. Names
of results are the published ones.
"""

from dataclasses import dataclass

import numpy as np

from station_sim.streams import encoding
from station_sim.streams.imperfections import Cadence
from station_sim.streams.schedule import Entity, Schedule, regular
from station_sim.streams.voice import Draws, Voice, seconds

PREFIX = "MODULE-OUTPUT-"
PERIOD_MS = 900_000
RESULTS = {
    "load_prediction": ("load_forecast",),
    "operation_optimization": ("storage_power", "charge_power"),
    "evaluation_model": ("power_gap", "station_cost"),
    "SOH_model": ("SOH", "SOH_history"),
    "pv_prediction": ("pv_forecast", "pv_actual"),
}
"""The modules on which others depend, and what they tell."""

SERIES = ("load_forecast", "pv_forecast")
POINTS = 24
CNY_PER_KWH = 0.7


@dataclass(frozen=True)
class ModuleOutput:
    """The topic of one module."""

    module: str
    CADENCE: Cadence = Cadence.HOURLY

    @property
    def TOPIC(self) -> str:  # noqa: N802  # what topics' modules call it
        """Prefix and module in upper case."""
        return PREFIX + self.module.upper()

    def schedule(self, voice: Voice, begin_ms: int, end_ms: int) -> Schedule:
        """Each 15 minutes, at the station's phase."""
        phase_ms = voice.phase_ms(self.TOPIC, "", PERIOD_MS)
        return regular([Entity(self.module)], [phase_ms], PERIOD_MS, begin_ms, end_ms)

    def values(self, voice: Voice, due: Schedule, draws: Draws) -> list[bytes]:
        """An envelope with the station's result."""
        times_s = seconds(due.due_ms)
        kw = draws.read(voice.story.meter_kw(times_s), 1)
        spread = draws.uniforms()
        stamps = (voice.stamps_ms(due) / 1000).tolist()
        return [
            encoding.fixed(self._value(voice, stamp, float(now_kw), float(draw)))
            for stamp, now_kw, draw in zip(stamps, kw, spread, strict=True)
        ]

    def _value(self, voice: Voice, stamp: float, kw: float, draw: float) -> dict[str, object]:
        output = {name: _result(name, kw, draw) for name in RESULTS[self.module]}
        result = {
            "station_id": voice.site.station_id,
            "module": self.module,
            "output": output,
            "timestamp": stamp,
        }
        return {
            "batch_id": f"batch_{round(stamp * 1000)}_{voice.site.index}",
            "module": self.module,
            "timestamp": stamp,
            "stations_count": 1,
            "results": [result],
        }


def _result(name: str, kw: float, draw: float) -> object:
    share = np.arange(POINTS) / POINTS
    if name == "SOH":
        return round(97.0 - draw, 2)
    if name == "SOH_history":
        return np.round(97.5 - draw - 0.5 * share, 2).tolist()
    if name == "station_cost":
        return round(kw * PERIOD_MS / 3_600_000 * CNY_PER_KWH, 2)
    if name in SERIES:
        wave = 1.0 + 0.2 * np.sin(2 * np.pi * (share + draw))
        return np.round(kw * wave, 2).tolist()
    return round(kw * (0.8 + 0.4 * draw), 2)


MODULE_OUTPUTS = tuple(map(ModuleOutput, RESULTS))
