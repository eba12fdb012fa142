"""One charging station: who comes, waits, plugs in, charges, overstays and leaves.

The station owns its guns and the processes around them. What it says on the wire is told in
`station_sim.streams`; what it consists of is drawn in `charging_network`.
"""

from bisect import insort
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import simpy

from station_sim.world.arrivals import Arrivals
from station_sim.world.cars import Car, draw_car
from station_sim.world.gun import Gun
from station_sim.world.pile import Pile
from station_sim.world.profile import Profile
from station_sim.world.random_streams import random_stream

Process = Generator[simpy.Event, Any, None]


@dataclass(frozen=True, slots=True)
class Session:
    """A finished charge; instants are story seconds, energy is what the gun delivered."""

    station_id: str
    gun_no: str
    car: Car
    plugged_s: float
    power_on_s: float
    power_off_s: float
    energy_kwh: float


@dataclass(frozen=True, slots=True)
class StationParameters:
    """What never changes about a station. Powers in kW, position in degrees, temperature in °C."""

    station_id: str
    name: str
    longitude: float
    latitude: float
    temperature_c: float
    grid_capacity_kva: float
    meter_id: str
    host_codes: tuple[str, ...]
    power_ids: tuple[str, ...]


class Station:
    """A station at work in a SimPy environment; begins with every gun free.

    `entity` is the name its random streams carry. `session_ended` is called with every finished
    `Session`, in order. `arrived` and `left` count drivers who came, and who left without charging.
    """

    def __init__(
        self,
        env: simpy.Environment,
        profile: Profile,
        entity: str,
        parameters: StationParameters,
        piles: Sequence[Pile],
        session_ended: Callable[[Session], None],
    ) -> None:
        self.env = env
        self.entity = entity
        self.parameters = parameters
        self.station_id = parameters.station_id
        self.piles = tuple(piles)
        self.guns = tuple(gun for pile in piles for gun in pile.guns)
        self.arrived = 0
        self.left = 0
        self._pile_of = {gun.number: pile for pile in piles for gun in pile.guns}
        self._session_ended = session_ended
        self._free = list(self.guns)
        self._waiting: deque[simpy.Event] = deque()
        self._charging: list[Gun] = []
        self._charges: dict[int, simpy.Process] = {}
        self._finished_kwh = 0.0
        self._cars = random_stream(profile.seed, entity, "cars")
        self._arrivals = Arrivals(profile, entity)
        env.process(self._receive_cars())

    @property
    def rated_kw(self) -> float:
        """Sum of the piles' rated powers."""
        return sum(pile.rated_kw for pile in self.piles)

    @property
    def charging_guns(self) -> int:
        """Guns through which power flows."""
        return len(self._charging)

    def total_power_kw(self) -> float:
        """Power of all guns now, unrounded."""
        now_s = self.env.now
        return sum(gun.power_kw(now_s) for gun in self._charging)

    def total_energy_kwh(self) -> float:
        """Energy that all guns have delivered from the story's start until now, unrounded."""
        now_s = self.env.now
        return self._finished_kwh + sum(gun.energy_kwh(now_s) for gun in self._charging)

    def _receive_cars(self) -> Process:
        for at_s in self._arrivals.times_s():
            yield self.env.timeout(max(0.0, at_s - self.env.now))
            self.arrived += 1
            self.env.process(self._visit(draw_car(self._cars)))

    def _visit(self, car: Car) -> Process:
        gun = self._take_free_gun(car)
        if gun is None:
            place = self.env.event()
            self._waiting.append(place)
            yield place | self.env.timeout(car.patience_s)
            if not place.triggered:
                self._waiting.remove(place)
                self.left += 1
                return
            gun = cast(Gun, place.value)
        yield from self._occupy(gun, car)
        self._pass_on(gun)

    def _occupy(self, gun: Gun, car: Car) -> Process:
        gun.plug(car)
        plugged_s = self.env.now
        yield self.env.timeout(car.handshake_s)
        power_on_s = self.env.now
        yield from self._charge(gun)
        energy_kwh = gun.finish()
        self._finished_kwh += energy_kwh
        self._session_ended(
            Session(
                self.station_id, gun.gun_no, car, plugged_s, power_on_s, self.env.now, energy_kwh
            )
        )
        self._share_anew(gun)
        yield self.env.timeout(car.overstay_s)
        gun.unplug()

    def _charge(self, gun: Gun) -> Process:
        assert self.env.active_process is not None
        gun.begin(self.env.now, self._pile_of[gun.number].limit_kw(gun))
        self._charges[gun.number] = self.env.active_process
        insort(self._charging, gun, key=lambda each: each.number)
        self._share_anew(gun)
        while gun.plan is not None and self.env.now < gun.plan.end_s:
            try:
                yield self.env.timeout(gun.plan.end_s - self.env.now)
                break
            except simpy.Interrupt:
                continue
        self._charging.remove(gun)
        del self._charges[gun.number]

    def _share_anew(self, gun: Gun) -> None:
        """After `gun` began or finished, the guns beside it go on under the pile's new limit."""
        pile = self._pile_of[gun.number]
        for other in pile.others_charging(gun):
            other.limit(self.env.now, pile.limit_kw(other))
            if other.number in self._charges:
                self._charges[other.number].interrupt("the pile shares its power anew")

    def _take_free_gun(self, car: Car) -> Gun | None:
        """A free gun, on an idle pile if there is one; the car's own draw picks among equals."""
        if not self._free:
            return None
        best = [gun for gun in self._free if self._pile_of[gun.number].is_idle] or self._free
        gun = best[int(car.choice * len(best))]
        self._free.remove(gun)
        return gun

    def _pass_on(self, gun: Gun) -> None:
        """Give the gun to the driver who has waited longest, else count it as free."""
        if self._waiting:
            self._waiting.popleft().succeed(gun)
        else:
            insort(self._free, gun, key=lambda each: each.number)
