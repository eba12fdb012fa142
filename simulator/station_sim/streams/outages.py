"""When a station's uplink is down, and how far the clocks of its hosts are off.

Drawn from the station's own streams, the same however far a run goes. What an outage does to a
record is `fates`'.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from station_sim.streams.imperfections import Imperfections
from station_sim.streams.noise import Floats, Ints, hashed, normals, stream_keys, uniforms
from station_sim.world.random_streams import random_stream
from station_sim.world.site import StationSite

Z95 = 1.6448536269514722
SECONDS_PER_DAY = 86_400


@dataclass(slots=True)
class Outages:
    """A station's outages in story milliseconds, ascending and apart; grown as time goes on."""

    begins_ms: Ints
    ends_ms: Ints


def outages(seed: int, entity: str, layer: Imperfections, until_ms: int) -> Outages:
    """Outages that begin before `until_ms`."""
    begins: list[int] = []
    ends: list[int] = []
    if math.isfinite(layer.outage_every_days):
        rng = random_stream(seed, entity, "outages")
        sigma = math.log(layer.outage_q95_s / layer.outage_median_s) / Z95
        at_s = 0.0
        while True:
            at_s += rng.expovariate(1 / (layer.outage_every_days * SECONDS_PER_DAY))
            length_s = layer.outage_median_s * math.exp(rng.gauss(0.0, sigma))
            if at_s * 1000 >= until_ms:
                break
            begins.append(round(at_s * 1000))
            at_s += length_s
            ends.append(round(at_s * 1000) + 1)
    return Outages(np.array(begins, dtype=np.int64), np.array(ends, dtype=np.int64))


def skews_ms(seed: int, site: StationSite, layer: Imperfections) -> Ints:
    """By how much each host's clock is ahead: one element per host, of milliseconds."""
    keys = stream_keys(seed, [(site.entity, "clock", each.code) for each in site.hosts])
    draws = [hashed(keys, np.full(len(keys), number, dtype=np.int64)) for number in range(4)]
    near_s = normals(draws[0]) * layer.skew_sd_s
    low_s, high_s = layer.far_skew_s
    sign: Floats = np.where(uniforms(draws[3]) < 0.5, -1.0, 1.0)
    far_s = sign * (low_s + (high_s - low_s) * uniforms(draws[1]))
    chosen = np.where(uniforms(draws[2]) < layer.far_skew_share, far_s, near_s)
    found: Ints = np.rint(chosen * 1000).astype(np.int64)
    return found


def span(outage: Outages) -> Sequence[tuple[int, int]]:
    """Outages as pairs."""
    return list(zip(outage.begins_ms.tolist(), outage.ends_ms.tolist(), strict=True))
