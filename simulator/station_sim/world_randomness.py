"""The world's randomness in place of the process's: all of it follows from the world's seed.

Covers `random`, `os.urandom` and what draws from it (`secrets`, `uuid4`, `SystemRandom`),
generators that are made without a seed, `uuid1`, and NumPy's. How a function is replaced is in
`seams.py`.
"""

import importlib
import os
import random
import sys
import uuid
from typing import Any

from station_sim.seams import Seams

SEED_BYTES = 32
"""What a generator without a seed draws for one: more than enough to tell it from others."""

_MULTICAST_BIT = 1 << 40
"""Marks a node that is no network card's (RFC 4122, 4.5)."""


def replace_randomness(seams: Seams, seed: int) -> None:
    """Have every source of randomness follow from `seed` until the world ends."""
    entropy = random.Random(f"{seed}/os.urandom")
    state = random.getstate()
    seams.on_exit(lambda: random.setstate(state))
    random.seed(f"{seed}/random")
    seams.replace(os, "urandom", entropy.randbytes)
    if hasattr(os, "getrandom"):
        seams.replace(os, "getrandom", lambda size, _flags=0: entropy.randbytes(size))
    _replace_seeding(seams, entropy)
    _replace_uuid1(seams, entropy)
    _seed_numpy(seams, seed)


def _replace_seeding(seams: Seams, entropy: random.Random) -> None:
    """A generator without a seed takes one from the C library: give it ours."""
    real_seed, real_module_seed = random.Random.seed, random.seed

    def drawn(a: Any) -> Any:
        return int.from_bytes(entropy.randbytes(SEED_BYTES)) if a is None else a

    def seed_generator(generator: random.Random, a: Any = None, version: int = 2) -> None:
        real_seed(generator, drawn(a), version)

    def seed_module(a: Any = None, version: int = 2) -> None:
        real_module_seed(drawn(a), version)

    seams.replace(random.Random, "seed", seed_generator)
    seams.replace(random, "seed", seed_module)


def _replace_uuid1(seams: Seams, entropy: random.Random) -> None:
    """Without node and sequence `uuid1` asks the operating system; it remembers its last time."""
    real = uuid.uuid1
    own_node = entropy.getrandbits(48) | _MULTICAST_BIT
    own_sequence = entropy.getrandbits(14)

    def uuid1(node: int | None = None, clock_seq: int | None = None) -> uuid.UUID:
        return real(
            own_node if node is None else node, own_sequence if clock_seq is None else clock_seq
        )

    last: Any = vars(uuid).get("_last_timestamp")
    vars(uuid)["_last_timestamp"] = None
    seams.on_exit(lambda: vars(uuid).update(_last_timestamp=last))
    seams.replace(uuid, "uuid1", uuid1)


def _seed_numpy(seams: Seams, seed: int) -> None:
    """NumPy's module functions share a generator that was seeded at its import.

    `default_rng()` without a seed draws it from `secrets`. A NumPy that is imported later, by the
    world itself, finds the world's randomness anyway.
    """
    if "numpy" not in sys.modules:
        return
    numpy_random = importlib.import_module("numpy.random")  # NumPy itself puts that off
    state = numpy_random.get_state()
    seams.on_exit(lambda: numpy_random.set_state(state))
    numpy_random.seed(random.Random(f"{seed}/numpy.random").getrandbits(32))
