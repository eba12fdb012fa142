"""A gun at work: who is on it, and its charge under the limit that it is granted.

How much power a gun may give is `sharing`'s business, when cars come and go is `station`'s.
"""

import numpy as np
import simpy

from station_sim.world.charging import STEPS, staircase
from station_sim.world.sessions import Session
from station_sim.world.site import GunSite
from station_sim.world.steps import Floats

PERCENTS = np.arange(STEPS, dtype=float)


class Gun:
    """One DC connector: `session` is there while a car is, `charging` while power flows.

    `faults` counts what keeps it from working; `wake` is the event that whoever waits for a change
    of the charge waits for; a driver who was called to the gun has it `promised`.
    """

    def __init__(self, site: GunSite) -> None:
        self.site = site
        self.session: Session | None = None
        self.charging = False
        self.promised = False
        self.faults = 0
        self.limit_kw = 0.0
        self.wake: simpy.Event | None = None
        self._accepted: Floats = PERCENTS
        self._ceilings: Floats = PERCENTS
        self._demands: list[float] = []

    @property
    def is_free(self) -> bool:
        """True when the next driver may take it."""
        return self.session is None and not self.faults and not self.promised

    def plug(self, session: Session) -> None:
        """Take a car; raises `RuntimeError` when there is one already or the gun is broken."""
        if self.session is not None:
            raise RuntimeError(f"gun {self.site.number} already has {self.session.transaction_no}")
        if self.faults:
            raise RuntimeError(f"gun {self.site.number} is out of order")
        self.session = session
        self.promised = False

    def unplug(self, at_s: float) -> None:
        """The car leaves."""
        assert self.session is not None
        assert not self.charging
        self.session.unplugged_s = at_s
        self.session = None

    def switch_on(self, at_s: float) -> None:
        """The car is ready for power, which flows once `limit` grants some."""
        assert self.session is not None
        battery = self.session.car.battery
        self.session.power_on_s = at_s
        self.charging = True
        self.limit_kw = 0.0
        self._accepted = battery.accepted_kw()
        by_current = battery.volts(PERCENTS) * (self.site.current_limit_a / 1000)
        self._ceilings = np.minimum(by_current, self.site.rated_kw)
        usable = np.minimum(self._accepted, self._ceilings)
        self._demands = np.maximum.accumulate(usable[::-1])[::-1].tolist()

    def demand_kw(self, at_s: float) -> float:
        """The most that the charge can still take from an instant on: power only falls from it."""
        session = self.session
        assert session is not None
        soc = session.soc_at(at_s) if session.times_s else session.car.arrival_soc
        return self._demands[min(int(soc), STEPS - 1)]

    def limit(self, at_s: float, limit_kw: float) -> None:
        """Go on from the present state of charge under a limit."""
        session = self.session
        assert session is not None
        assert self.charging
        is_first = not session.times_s
        if not is_first:
            session.cut(at_s)
        soc = session.car.arrival_soc if is_first else session.socs_percent[-1]
        self.limit_kw = limit_kw
        if soc < session.car.stop_soc:
            self._go_on(session, soc, at_s, session.car.ramp_kw_per_s if is_first else None)

    def switch_off(self, at_s: float) -> None:
        """Power stops, at the end of the plan or before it."""
        assert self.session is not None
        self.session.cut(at_s)
        self.session.power_off_s = at_s
        self.charging = False
        self.limit_kw = 0.0

    def rouse(self) -> None:
        """Wake whoever waits for a change."""
        if self.wake is not None and not self.wake.triggered:
            self.wake.succeed()

    def _go_on(self, session: Session, soc: float, at_s: float, ramp: float | None) -> None:
        limits = np.minimum(self._ceilings, self.limit_kw)
        steps = staircase(
            np.minimum(self._accepted, limits),
            session.car.battery.capacity_kwh,
            soc_from=soc,
            soc_to=session.car.stop_soc,
            limit_kw=self.limit_kw,
            begin_s=at_s,
            ramp_kw_per_s=ramp,
        )
        places = np.minimum(steps.socs_percent[:-1].astype(int), STEPS - 1)
        session.add(steps, limits[places])
