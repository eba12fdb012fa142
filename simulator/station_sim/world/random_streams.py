"""Randomness with a name: each entity of the world draws from a stream of its own.

A stream is seeded by text, which Python's generator hashes with SHA-512, so that it depends neither
on `PYTHONHASHSEED` nor on what other entities draw: one station more changes no other station.
"""

from random import Random


def random_stream(seed: int, *entity: object) -> Random:
    """The stream of the entity with this name, e.g. `random_stream(7, "station-0003", "cars")`."""
    return Random("/".join(map(str, (seed, *entity))))
