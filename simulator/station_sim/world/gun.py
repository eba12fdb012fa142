"""A gun: what is plugged in, and its charge while power flows.

How much power a gun may give is `pile`'s business, when cars come and go is `station`'s.
"""

from station_sim.world.cars import Car
from station_sim.world.charging import ChargePlan


class Gun:
    """One DC connector: the car on it, and its charge while power flows."""

    __slots__ = ("_before_kwh", "car", "number", "plan")

    def __init__(self, number: int) -> None:
        self.number = number
        self.car: Car | None = None
        self.plan: ChargePlan | None = None
        self._before_kwh = 0.0

    @property
    def gun_no(self) -> str:
        """The number on the wire: two digits from 01."""
        return f"{self.number:02d}"

    def plug(self, car: Car) -> None:
        """Take a car; raises `RuntimeError` when there is one already."""
        if self.car is not None:
            raise RuntimeError(f"gun {self.gun_no} already has a {self.car.vehicle_class}")
        self.car = car

    def begin(self, at_s: float, limit_kw: float) -> None:
        """Let power flow from the car's arrival state of charge."""
        assert self.car is not None
        assert self.plan is None
        self._before_kwh = 0.0
        self.plan = self._plan_from(self.car.arrival_soc, at_s, limit_kw)

    def limit(self, at_s: float, limit_kw: float) -> None:
        """Go on from the present state of charge under another limit."""
        assert self.plan is not None
        self._before_kwh += self.plan.energy_kwh(at_s)
        self.plan = self._plan_from(self.plan.soc_percent(at_s), at_s, limit_kw)

    def finish(self) -> float:
        """End the charge at its target; returns the energy delivered, in kWh."""
        assert self.plan is not None
        energy_kwh = self._before_kwh + self.plan.energies_kwh[-1]
        self.plan = None
        return energy_kwh

    def unplug(self) -> None:
        """The car leaves."""
        assert self.car is not None
        assert self.plan is None
        self.car = None

    def power_kw(self, at_s: float) -> float:
        """Power at an instant since the present plan began; zero when nothing charges."""
        return 0.0 if self.plan is None else self.plan.power_kw(at_s)

    def energy_kwh(self, at_s: float) -> float:
        """Energy of the charge under way until an instant; zero when there is none."""
        return 0.0 if self.plan is None else self._before_kwh + self.plan.energy_kwh(at_s)

    def _plan_from(self, soc_percent: float, at_s: float, limit_kw: float) -> ChargePlan:
        assert self.car is not None
        return ChargePlan(self.car.battery, soc_percent, self.car.stop_soc, limit_kw, at_s)
