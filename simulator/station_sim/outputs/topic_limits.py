"""What a broker's topics refuse or would throw away: sizes, and times too old or too new.

Read once, before the first record; whether a record passes is then a comparison.
"""

import sys
import time
from collections.abc import Collection
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from station_sim.errors import LabError
from station_sim.streams.record import Record

RECORD_BYTES = 1_048_588
FRAME_BYTES = 200
"""Room in a batch beside the value: its head, the record's head and key."""

FOREVER_MS = sys.maxsize


@dataclass(frozen=True, slots=True)
class TopicLimits:
    """Times are epoch milliseconds; a record is refused outside [oldest, newest]."""

    record_bytes: int = RECORD_BYTES
    oldest_ms: int = -FOREVER_MS
    newest_ms: int = FOREVER_MS

    def why_not(self, record: Record) -> str | None:
        """Why a record must not be sent, or None. The same text for records of the same kind."""
        size = len(record.value) + FRAME_BYTES
        if size > self.record_bytes:
            return (
                f"{record.topic}: a record of {len(record.value)} bytes does not fit into"
                f" max.message.bytes {self.record_bytes}"
            )
        if record.timestamp_ms < self.oldest_ms:
            return (
                f"{record.topic}: older than its retention.ms or timestamp limit ({self.oldest_ms})"
            )
        if record.timestamp_ms > self.newest_ms:
            return f"{record.topic}: newer than its timestamp limit ({self.newest_ms})"
        return None


async def limits_of(
    bootstrap: str, topics: Collection[str], foreign: Collection[str]
) -> dict[str, TopicLimits]:
    """The limits of topics; times matter on those that are not ours. Raises `LabError`."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in sorted(topics)]
        responses = await client.describe_configs(resources) if resources else []
    finally:
        await client.close()
    found = {}
    for response in responses:
        for error_code, error, _, name, entries in response.resources:
            if error_code:
                raise LabError(f"{bootstrap} does not tell the settings of {name}: {error}")
            settings = {entry[0]: entry[1] for entry in entries}
            found[name] = _limits(settings, is_foreign=name in foreign)
    return found


def _limits(settings: dict[str, str], *, is_foreign: bool) -> TopicLimits:
    size = int(settings.get("max.message.bytes") or RECORD_BYTES)
    if not is_foreign:
        return TopicLimits(size)
    now_ms = time.time_ns() // 1_000_000
    before = min(_ms(settings, "retention.ms"), _ms(settings, "message.timestamp.before.max.ms"))
    after = _ms(settings, "message.timestamp.after.max.ms")
    return TopicLimits(size, now_ms - before, now_ms + after if after < FOREVER_MS else FOREVER_MS)


def _ms(settings: dict[str, str], name: str) -> int:
    value = int(settings.get(name) or -1)
    return FOREVER_MS if value < 0 else value
