"""SCHEDULE-CAR-PRICE: every station's 48 half-hour codes and ten prices.

Sent when the story starts and at 00:00 on the 1st of each month. Beside the tariff that holds, a
station's items tell the month before it, in no special order: the newest `sendTime` holds.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from station_sim.streams.imperfections import Cadence
from station_sim.streams.noise import stream_key
from station_sim.streams.packing import pack
from station_sim.streams.topics.network_record import NetworkRecord
from station_sim.streams.voice import Voice
from station_sim.world.profile import Profile, wire_time

TOPIC = "SCHEDULE-CAR-PRICE"
CADENCE = Cadence.HOURLY
HEAD, TAIL = b'{"fee":[', b"]}"
PERIODS = {"sharp": "00", "peak": "01", "flat": "02", "ebb": "03", "other": "04"}


def due_ms(profile: Profile, begin_ms: int, end_ms: int) -> list[int]:
    """The start and the firsts of months."""
    found, local = [], profile.start
    while (at_ms := round(profile.story_s(local) * 1000)) < end_ms:
        if at_ms >= begin_ms:
            found.append(at_ms)
        local = next_first(local)
    return found


def records(voices: Sequence[Voice], at_ms: int, limit_bytes: int) -> list[NetworkRecord]:
    """All stations, in as few records as the limit allows."""
    items = [(each.site.station_id, _items(each, at_ms)) for each in voices]
    return [
        NetworkRecord(at_ms, part, HEAD + b",".join(packed.items) + TAIL, packed.stations)
        for part, packed in enumerate(pack(items, len(HEAD + TAIL), limit_bytes))
    ]


def next_first(local: datetime) -> datetime:
    """00:00 on the 1st of the month after `local`."""
    year, month = (local.year + 1, 1) if local.month == 12 else (local.year, local.month + 1)
    return local.replace(year=year, month=month, day=1, hour=0, minute=0, second=0, microsecond=0)


def _items(voice: Voice, at_ms: int) -> list[bytes]:
    now = voice.profile.local_time(at_ms / 1000)
    before = (
        now.replace(day=1, hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    ).replace(day=1)
    items = [_item(voice, before), _item(voice, now)]
    is_reversed = stream_key(voice.seed, voice.site.entity, TOPIC, at_ms) % 2
    return items[::-1] if is_reversed else items


def _item(voice: Voice, local: datetime) -> bytes:
    tariff: Any = voice.tariffs.on(local.date())
    hosts = voice.site.hosts
    sent_ms = voice.epoch_ms + round(voice.profile.story_s(local) * 1000)
    item: dict[str, object] = {
        "stationId": voice.site.station_id,
        "hostCode": hosts[0].code if hosts else "",
        "dialNo": tariff.dial_no,
        "sendTime": wire_time(sent_ms),
    }
    item.update((f"feeNo{number}", code) for number, code in enumerate(tariff.codes, start=1))
    for name, code in PERIODS.items():
        item[f"{name}ElectricFee"] = float(tariff.energy_price.get(code, 0.0))
        item[f"{name}ServerFee"] = float(tariff.service_fee.get(code, 0.0))
    item["lossRate"] = 1
    return orjson.dumps(item)
