"""What a station says under load: REAL-STATION-DATA records of about 350 bytes.

The values follow a plain daily curve; the physics of cars and guns is `station_sim.world`'s, which
is not needed to fill a broker. The trace fields are named in `trace.py`.
"""

import math
from functools import lru_cache
from typing import Any

import orjson

from station_load.trace import DUE_FIELD, RUN_FIELD, SEQ_FIELD, Trace
from station_sim.world.profile import wire_time
from station_sim.world.random_streams import random_stream

DAY_S = 86_400
PEAK_POWER_KW = (120.0, 600.0)
"""Range of a station's peak power: one to five double-gun hosts."""


def encode_reading(seed: int, station: str, trace: Trace) -> bytes:
    """The record value: UTF-8 JSON of one sample, power in kW, energy in kWh."""
    return orjson.dumps(reading(seed, station, trace))


def reading(seed: int, station: str, trace: Trace) -> dict[str, Any]:
    """One sample of a station at the instant that `trace` says is due."""
    peak_kw = peak_power_kw(seed, station)
    day_share = (trace.due_s % DAY_S) / DAY_S
    wave = 0.5 - 0.5 * math.cos(2 * math.pi * day_share)
    total_kw = round(peak_kw * (0.2 + 0.7 * wave) + trace.seq % 7, 1)
    return {
        "stationId": station,
        "timestamp": _wire_time(int(trace.due_s)),
        "totalPower": total_kw,
        "totalEnergy": round(peak_kw * day_share * 24, 2),
        "chargingGuns": int(total_kw // 60),
        "gridPower": round(total_kw * 0.8, 1),
        "pvPower": round(40 * wave, 1),
        "batteryGroupOutPower": round(total_kw * 0.1, 1),
        "stationTemp": round(20 + 10 * wave, 1),
        "gridCapacity": round(peak_kw * 1.25, 1),
        "outputPowerPerStationMax": round(peak_kw, 1),
        RUN_FIELD: trace.run,
        SEQ_FIELD: trace.seq,
        DUE_FIELD: trace.due_s,
    }


@lru_cache(maxsize=100_000)
def peak_power_kw(seed: int, station: str) -> float:
    """The station's peak power in kW, drawn from the seed."""
    return random_stream(seed, station, "load-peak").uniform(*PEAK_POWER_KW)


@lru_cache(maxsize=16)
def _wire_time(at_s: int) -> str:
    return wire_time(at_s * 1000)
