"""SCHEDULE-STATION-REALTIME-DATA: each hour, all guns' power of the last 168 hours, pushed anew.

Items are of one host and hour, mixed in no order, and overlap with the push before; guns stand in
another order each hour; a few hours and guns are missing for good (shares are estimates).
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from station_sim.streams import encoding
from station_sim.streams.hourly_power import SECONDS_PER_HOUR
from station_sim.streams.imperfections import Cadence
from station_sim.streams.noise import Floats, Ints, hashed, normals, stream_key, uniforms
from station_sim.streams.packing import Packed, pack
from station_sim.streams.schedule import grid
from station_sim.streams.topics.network_record import NetworkRecord
from station_sim.streams.voice import Voice
from station_sim.world.profile import Profile

TOPIC = "SCHEDULE-STATION-REALTIME-DATA"
CADENCE = Cadence.HOURLY
HEAD, TAIL = b'{"realTimeData":[', b"]}"
PERIOD_MS = SECONDS_PER_HOUR * 1000
PUSHED_AFTER_MS = 30_000
"""How long after the full hour the platform has its statistics ready (an estimate)."""

MISSING_HOURS, MISSING_GUNS = 0.005, 0.01


def due_ms(profile: Profile, begin_ms: int, end_ms: int) -> list[int]:
    """30 s after each full local hour that has an hour of story before it."""
    first = _first_hour_ms(profile) + PUSHED_AFTER_MS
    found: list[int] = grid(first, PERIOD_MS, begin_ms, end_ms).tolist()
    return [each for each in found if each >= PERIOD_MS]


def records(voices: Sequence[Voice], at_ms: int, limit_bytes: int) -> list[NetworkRecord]:
    """Stations in as few records as the limit allows, their items mixed within each."""
    first_ms = _first_hour_ms(voices[0].profile)
    hours = (at_ms - first_ms) // PERIOD_MS
    items = []
    for voice in voices:
        voice.hours.begin_s = first_ms / 1000
        kept = voice.hours.until(hours, partial(_encoded, voice))
        items.append((voice.site.station_id, [piece for _, pieces in kept for piece in pieces]))
    return [
        NetworkRecord(at_ms, part, HEAD + b",".join(_mixed(packed, at_ms)) + TAIL, packed.stations)
        for part, packed in enumerate(pack(items, len(HEAD + TAIL), limit_bytes))
    ]


def _first_hour_ms(profile: Profile) -> int:
    """The first full local hour, in story time."""
    return -profile.epoch_ms % PERIOD_MS


def _mixed(packed: Packed, at_ms: int) -> list[bytes]:
    """Items in an order of no meaning: by a hash of what they say and when."""
    order = sorted((hash_of(item, at_ms), number) for number, item in enumerate(packed.items))
    return [packed.items[number] for _, number in order]


def hash_of(item: bytes, at_ms: int) -> int:
    """A number that another station more does not change."""
    from zlib import crc32

    return crc32(item, at_ms & 0xFFFFFFFF)


def _encoded(voice: Voice, hour: int, mean_kw: Floats, max_kw: Floats) -> list[bytes]:
    """An hour's items, one per host with guns; missing ones left out."""
    site, seed = voice.site, voice.seed
    send_time = encoding.times(
        np.array([voice.epoch_ms + round(voice.hours.begin_s * 1000) + hour * PERIOD_MS])
    )[0]
    total_mean, total_max = round(float(mean_kw.sum()), 2), round(float(max_kw.sum()), 2)
    found = []
    for index, host in enumerate(site.hosts):
        guns = np.array([gun.number for gun in site.guns if gun.host == index], dtype=np.int64)
        key = stream_key(seed, site.entity, TOPIC, host.code)
        if _draw(key, hour, 1)[0] < MISSING_HOURS and voice.layer.gaps:
            continue
        draws = _draw(key, hour * 4096 + 16, len(guns))
        order = np.argsort(draws)
        if voice.layer.gaps:
            order = order[_draw(key, hour * 4096 + 2048, len(guns))[order] >= MISSING_GUNS]
        chosen = guns[order]
        noise = 1.0 + voice.layer.noise_share * _normal(key, hour * 4096 + 1024, len(guns))[order]
        names = [b'"%b"' % site.guns[number - 1].gun_no.encode() for number in chosen.tolist()]
        found.append(
            b'{"stationId":"%b","hostCode":"%b","sendTime":%b,"gunPower":{"gunNo":[%b],'
            b'"outputPowerPerGunAvg":%b,"outputPowerPerGunMax":%b},'
            b'"outputPowerPerStationAvg":%b,"outputPowerPerStationMax":%b}'
            % (
                site.station_id.encode(),
                host.code.encode(),
                send_time,
                b",".join(names),
                encoding.fixed((np.round(mean_kw[chosen - 1] * noise, 2) + 0.0).tolist()),
                encoding.fixed((np.round(max_kw[chosen - 1] * noise, 2) + 0.0).tolist()),
                encoding.fixed(total_mean),
                encoding.fixed(total_max),
            )
        )
    return found


def _counters(first: int, count: int) -> Ints:
    return np.arange(first, first + count, dtype=np.int64)


def _draw(key: int, first: int, count: int) -> Floats:
    return uniforms(hashed(key, _counters(first, count)))


def _normal(key: int, first: int, count: int) -> Floats:
    return normals(hashed(key, _counters(first, count)))
