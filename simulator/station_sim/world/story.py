"""What a station's story can be asked, whoever tells it.

Instants are story seconds; arrays of instants lie before the story's `now_s` and not before what
was forgotten. Answers do not depend on the steps in which a story was advanced.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from station_sim.world.sessions import Session
from station_sim.world.site import StationSite
from station_sim.world.steps import Floats
from station_sim.world.tariffs import Tariff


@dataclass(frozen=True, slots=True)
class Fault:
    """Something out of order in [begin_s, end_s): `part` is what, `place` which of them.

    `part` is "gun", "dc", "ac", "host", "terminal", "storage" or "meter"; `place` is a gun's
    number, or the index of a host or storage unit. `level` is 1 to 3; a fault of a gun that repairs
    itself within hours is `soft`. `end_s` may lie in the future.
    """

    part: str
    place: int
    begin_s: float
    end_s: float
    level: int
    code: str
    soft: bool


class Story(Protocol):
    """One station, from the profile's start to `now_s`."""

    @property
    def site(self) -> StationSite: ...

    @property
    def now_s(self) -> float: ...

    @property
    def arrived(self) -> int:
        """Drivers who came."""

    @property
    def left(self) -> int:
        """Drivers who went without charging."""

    def advance(self, until_s: float) -> None:
        """Let everything happen that comes before an instant."""

    def forget(self, before_s: float) -> None:
        """Let go of what ended before an instant."""

    def sessions(self, begin_s: float, end_s: float) -> Sequence[Session]:
        """Sessions that had a gun in [begin, end), in the order of plugging."""

    def faults(self, begin_s: float, end_s: float) -> Sequence[Fault]:
        """Faults with a part in [begin, end), in the order of their beginning."""

    def gun_kw(self, gun: int, times_s: Floats) -> Floats:
        """Power through a gun."""

    def gun_status(self, gun: int, times_s: Floats) -> Floats:
        """0 idle, 1 charging, 2 fault, 3 occupied without power."""

    def host_dc_kw(self, host: int, times_s: Floats) -> Floats:
        """Power that a host gives to its guns."""

    def host_ac_kw(self, host: int, times_s: Floats) -> Floats:
        """Power that a host takes for it: through both stages' efficiency, with standby."""

    def auxiliaries_kw(self, times_s: Floats) -> Floats:
        """Light, cooling, and what else a station needs."""

    def pv_kw(self, times_s: Floats) -> Floats:
        """Power of the panels, AC."""

    def storage_kw(self, unit: int, times_s: Floats) -> Floats:
        """Power of a storage unit, AC: positive when it discharges."""

    def storage_soc(self, unit: int, times_s: Floats) -> Floats:
        """Its state of charge."""

    def outdoor_c(self, times_s: Floats) -> Floats:
        """Temperature outside."""

    def meter_kw(self, times_s: Floats) -> Floats:
        """Hosts and auxiliaries minus PV and storage: positive when power comes from the grid."""

    def meter_kwh(self, times_s: Floats) -> Floats:
        """Energy from the grid since the start, minus what went back."""

    def tariff(self, at_s: float) -> Tariff:
        """The tariff that holds."""
