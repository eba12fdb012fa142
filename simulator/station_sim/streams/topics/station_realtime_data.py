"""SCHEDULE-STATION-REALTIME-DATA: each hour, all guns' power of the last 168 hours, pushed anew.

Items are of one host and hour, mixed in no order, and overlap with the push before; guns stand in
another order each hour; a few hours and guns are missing for good (shares are estimates).
"""

from collections.abc import Sequence
from functools import partial
from zlib import crc32

import numpy as np

from station_sim.streams import encoding
from station_sim.streams.hourly_power import SECONDS_PER_HOUR, Hour
from station_sim.streams.imperfections import Cadence
from station_sim.streams.noise import Bits, hashed, normals, stream_key, uniforms
from station_sim.streams.packing import Packed, pack
from station_sim.streams.schedule import grid
from station_sim.streams.topics.network_record import NetworkRecord
from station_sim.streams.voice import Voice
from station_sim.world.profile import Profile
from station_sim.world.site import GunSite

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
    return crc32(item, at_ms & 0xFFFFFFFF)


def _encoded(voice: Voice, hour: Hour) -> list[bytes]:
    """An hour's items, one per host with guns; missing ones left out."""
    site = voice.site
    begin_ms = round(voice.hours.begin_s * 1000) + hour.number * PERIOD_MS
    send_time = encoding.times(np.array([voice.epoch_ms + begin_ms]))[0]
    tail = encoding.fragment(
        {
            "outputPowerPerStationAvg": round(hour.station_mean_kw, 2),
            "outputPowerPerStationMax": round(hour.station_max_kw, 2),
        }
    )
    found = []
    for index, host in enumerate(site.hosts):
        guns = [gun for gun in site.guns if gun.host == index]
        key = stream_key(voice.seed, site.entity, TOPIC, host.code)
        if voice.layer.gaps and uniforms(_draws(key, hour.number, 0, 1))[0] < MISSING_HOURS:
            continue
        head = b'"stationId":"%b","hostCode":"%b","sendTime":%b' % (
            site.station_id.encode(),
            host.code.encode(),
            send_time,
        )
        power = fragment_of_guns(voice, hour, guns, key)
        found.append(b'{%b,"gunPower":{%b},%b}' % (head, power, tail))
    return found


def fragment_of_guns(voice: Voice, hour: Hour, guns: list[GunSite], key: int) -> bytes:
    """Three lists of one length, in the hour's own order of guns."""
    count = len(guns)
    order = np.argsort(uniforms(_draws(key, hour.number, 1, count)))
    if voice.layer.gaps:
        order = order[uniforms(_draws(key, hour.number, 2, count))[order] >= MISSING_GUNS]
    noise = 1.0 + voice.layer.noise_share * normals(_draws(key, hour.number, 3, count))
    places = np.array([gun.number - 1 for gun in guns], dtype=np.int64)
    mean_kw, max_kw = hour.mean_kw[places] * noise, hour.max_kw[places] * noise
    return encoding.fragment(
        {
            "gunNo": [guns[place].gun_no for place in order.tolist()],
            "outputPowerPerGunAvg": (np.round(mean_kw, 2) + 0.0)[order].tolist(),
            "outputPowerPerGunMax": (np.round(max_kw, 2) + 0.0)[order].tolist(),
        }
    )


def _draws(key: int, hour: int, purpose: int, count: int) -> Bits:
    """Bits for each of a host's guns, in an hour, for one of four purposes."""
    return hashed(key, (hour * 4 + purpose) * 4096 + np.arange(count, dtype=np.int64))
