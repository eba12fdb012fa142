"""Counter-based noise: a number for every (seed, names, counter), drawn in no order.

A stream of pseudo-random bits is a 64-bit key; its i-th element is a hash of key and counter. So
which chunk, topic or station is told changes no other draw. The hash is splitmix64's finaliser
(Steele, Lea, Flood 2014), over whole arrays. What is done with the numbers is the callers'.
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11, _S16 = (np.uint64(shift) for shift in (30, 27, 31, 11, 16))
_LOW_16 = np.uint64(0xFFFF)
_SUM_MEAN, _SUM_SD = 4 * 65535 / 2, 65536 * (4 / 12) ** 0.5


@lru_cache(maxsize=200_000)
def stream_key(seed: int, *names: str | int) -> int:
    """The key of the stream with this name: 64 bits."""
    text = "/".join(map(str, (seed, *names))).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")


def stream_keys(seed: int, names: Sequence[tuple[str | int, ...]]) -> Bits:
    """The keys of many streams."""
    return np.array([stream_key(seed, *each) for each in names], dtype=np.uint64)


def hashed(keys: Bits | int, counters: Ints) -> Bits:
    """64 even bits for each counter; `keys` is one stream's, or one for each counter."""
    key = np.uint64(keys) if isinstance(keys, int) else keys
    bits = counters.astype(np.uint64)
    bits *= _GAMMA
    bits += key
    return _mixed(bits)


def another(bits: Bits) -> Bits:
    """Fresh bits from bits: a second draw for the same counters."""
    return _mixed(bits + _GAMMA)


def uniforms(bits: Bits) -> Floats:
    """Bits as numbers in [0, 1)."""
    found: Floats = (bits >> _S11).astype(np.float64)
    found *= 2.0**-53
    return found


def normals(bits: Bits) -> Floats:
    """Bits as standard normal numbers: four 16-bit uniforms summed, within 3.5 deviations."""
    total = (bits & _LOW_16).astype(np.float64)
    for _ in range(3):
        bits = bits >> _S16
        total += bits & _LOW_16
    total -= _SUM_MEAN
    total /= _SUM_SD
    return total


def _mixed(bits: Bits) -> Bits:
    bits = (bits ^ (bits >> _S30)) * _MIX_1
    bits = (bits ^ (bits >> _S27)) * _MIX_2
    mixed: Bits = bits ^ (bits >> _S31)
    return mixed
