"""Piles: the cabinets guns hang on, and how much power each gun may give.

A dual-gun pile gives all its power to one busy gun and half to each of two. Left out so far: what
one gun of two leaves unused is not lent to the other; the ramp of 5 to 20 kW/s; currents.
"""

from random import Random

from station_sim.world.gun import Gun

# (rating in kW, guns, share of guns): an estimate, split so that 72 % of guns have >= 120 kW and
# 20 % have >= 180 kW (EVCIPA white paper 2022).
PILE_MIX = ((60.0, 1, 0.28), (120.0, 2, 0.52), (180.0, 2, 0.12), (240.0, 2, 0.05), (480.0, 2, 0.03))
PILE_WEIGHTS = tuple(share / guns for _, guns, share in PILE_MIX)


class Pile:
    """A cabinet with one or two guns that share its rated power."""

    __slots__ = ("guns", "rated_kw")

    def __init__(self, rated_kw: float) -> None:
        self.rated_kw = rated_kw
        self.guns: list[Gun] = []

    def limit_kw(self, gun: Gun) -> float:
        """What `gun` may give while it charges, with the others as they are."""
        return self.rated_kw / (1 + len(self.others_charging(gun)))

    def others_charging(self, gun: Gun) -> list[Gun]:
        """The other guns of the pile through which power flows."""
        return [other for other in self.guns if other is not gun and other.plan is not None]

    @property
    def is_idle(self) -> bool:
        """True when no gun has a car."""
        return all(gun.car is None for gun in self.guns)


def draw_piles(rng: Random, guns: int) -> list[Pile]:
    """Piles of the urban mix with `guns` guns in all, numbered from 1 across the station.

    Every pile takes one draw, so that a larger station begins like a smaller one.
    """
    piles: list[Pile] = []
    number = 0
    while number < guns:
        rated_kw, pile_guns, _ = rng.choices(PILE_MIX, PILE_WEIGHTS)[0]
        pile = Pile(rated_kw)
        for _ in range(min(pile_guns, guns - number)):
            number += 1
            pile.guns.append(Gun(number))
        piles.append(pile)
    return piles
