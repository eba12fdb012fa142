"""Every source of randomness follows from the world's seed, also those that want no seed."""

import os
import random
import secrets
import uuid
from collections.abc import Callable

import numpy as np
import pytest

from station_sim.clock import run_virtual


def _seed_anew_and_draw() -> float:
    random.seed()
    return random.random()


SOURCES: dict[str, Callable[[], object]] = {
    "random": random.random,
    "seeded anew": _seed_anew_and_draw,
    "Random": lambda: random.Random().random(),
    "SystemRandom": lambda: random.SystemRandom().random(),
    "urandom": lambda: os.urandom(8),
    "secrets": lambda: secrets.token_hex(8),
    "uuid4": lambda: uuid.uuid4(),
    "uuid1": lambda: uuid.uuid1(),
    "NumPy generator": lambda: float(np.random.default_rng().random()),
    "NumPy module": lambda: float(np.random.rand()),
}


@pytest.mark.parametrize("source", SOURCES)
def test_it_follows_from_the_seed(source: str) -> None:
    async def draw() -> list[object]:
        return [SOURCES[source]() for _ in range(3)]

    first, second, other = (run_virtual(draw, seed=seed) for seed in (1, 1, 2))
    assert first == second
    assert first != other
    assert 3 == len(set(map(str, first)))


def test_the_processs_own_randomness_goes_on_as_if_nothing_had_been() -> None:
    async def draw() -> None:
        random.random()
        np.random.rand()

    random.seed(5)
    np.random.seed(5)
    expected = random.random(), np.random.rand()
    random.seed(5)
    np.random.seed(5)
    run_virtual(draw)
    assert expected == (random.random(), np.random.rand())
    assert random.Random().random() != random.Random().random()
