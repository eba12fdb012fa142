"""A network on the wire: all its records, by the time they are sent, chunk after chunk.

A chunk of story time is told station by station in columns, decided upon, written, and put in
order; what is late waits for its chunk. How long chunks are shows in nothing but memory.
"""

from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np

from station_sim.streams.fates import decide
from station_sim.streams.imperfections import Imperfections
from station_sim.streams.noise import Ints, hashed, stream_keys
from station_sim.streams.outages import Outages, outages
from station_sim.streams.packing import RECORD_BYTES_MAX
from station_sim.streams.record import Record
from station_sim.streams.told import Told
from station_sim.streams.topics.registry import (
    NETWORK_TOPICS,
    RANKS,
    STATION_TOPICS,
    TOPICS,
    NetworkTopic,
    StationTopic,
    require_topics,
)
from station_sim.streams.voice import Draws, Voice
from station_sim.world.profile import Profile
from station_sim.world.story import Story

RECORDS_PER_CHUNK = 150_000
RECORDS_PER_GUN_S = 0.4
"""What a gun makes the network say, about: its share of hosts' and orders' seconds."""

CHUNK_MS_MIN, CHUNK_MS_MAX = 30_000, 3_600_000
REMEMBERED_MS = 2 * CHUNK_MS_MAX
"""How long a story is kept behind the chunk that is told: topics look an hour back."""

STATION_RANK, TOPIC_RANK = 1 << 40, 1 << 32
NO_OUTAGES = Outages(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
Keyed = tuple[tuple[int, int, int], Record]


class Telling:
    """Everything that `stories` say on `topics`. Goes forward only; `now_ms` is how far it is.
    Append to `observers` to be shown what is said, in columns, before it becomes records.

    Records that speak of several stations are split where they would pass `limit_bytes`.
    Raises `LabError` for an unknown topic.
    """

    def __init__(
        self,
        stories: Sequence[Story],
        profile: Profile,
        *,
        topics: Collection[str] = TOPICS,
        layer: Imperfections | None = None,
        limit_bytes: int = RECORD_BYTES_MAX,
        chunk_ms: int | None = None,
    ) -> None:
        wanted = require_topics(topics)
        self.profile = profile
        self.layer = layer or Imperfections()
        self.limit_bytes = limit_bytes
        self.voices = [Voice(story, profile, self.layer) for story in stories]
        self.network_topics = [each for each in NETWORK_TOPICS if each.TOPIC in wanted]
        self.station_topics = [each for each in STATION_TOPICS if each.TOPIC in wanted]
        self.chunk_ms = chunk_ms or usual_chunk_ms(sum(len(each.site.guns) for each in self.voices))
        self.now_ms = 0
        self.observers: list[Callable[[Told], None]] = []
        self._waiting: list[Keyed] = []
        self._outages: dict[str, tuple[int, Outages]] = {}

    def records(
        self, until_ms: int, progress: Callable[[int], None] | None = None
    ) -> Iterator[Record]:
        """Records due before `until_ms`, in sending order; late ones come at the end.

        `progress` is told the story millisecond that was reached, chunk by chunk.
        """
        while self.now_ms < until_ms:
            end_ms = min(self.now_ms + self.chunk_ms, until_ms)
            yield from self._in_order(self.told(end_ms), end_ms)
            if progress is not None:
                progress(end_ms)
        yield from self.rest()

    def rest(self) -> Iterator[Record]:
        """Those that are due and still on their way."""
        waiting, self._waiting = self._waiting, []
        yield from (record for _, record in sorted(waiting, key=_order))

    def told(self, end_ms: int, *, written: bool = True) -> Iterator[Told]:
        """What is due from `now_ms` on and before `end_ms`, by station and topic.

        Unless `written`, values are left out: times and fates are decided without them.
        """
        begin_ms, self.now_ms = self.now_ms, end_ms
        for voice in self.voices:
            voice.story.advance(end_ms / 1000)
        for network_topic in self.network_topics:
            yield from self._told_by_network(network_topic, begin_ms, end_ms)
        for voice in self.voices:
            for topic in self.station_topics:
                told = self._told_by_station(voice, topic, begin_ms, end_ms, written)
                if told is not None:
                    yield told
            voice.story.forget((end_ms - REMEMBERED_MS) / 1000)

    def outages_of(self, voice: Voice, until_ms: int) -> Outages:
        """A station's outages that begin before an instant, and maybe later ones."""
        known_ms, found = self._outages.get(voice.site.entity, (0, NO_OUTAGES))
        if known_ms < until_ms:
            known_ms = until_ms + 30 * 86_400_000
            found = outages(self.profile.seed, voice.site.entity, self.layer, known_ms)
            self._outages[voice.site.entity] = (known_ms, found)
        return found

    def _told_by_station(
        self, voice: Voice, topic: StationTopic, begin_ms: int, end_ms: int, written: bool
    ) -> Told | None:
        due = topic.schedule(voice, begin_ms, end_ms)
        if not len(due):
            return None
        bits = voice.bits(topic.TOPIC, due)
        rates = self.layer.rates[topic.CADENCE]
        fates = decide(due.due_ms, due.period_ms, bits, rates, self.outages_of(voice, end_ms))
        station_id = voice.site.station_id
        return Told(
            topic=topic.TOPIC,
            key=station_id,
            stations=(station_id,),
            rank=(voice.site.index + 1) * STATION_RANK + RANKS[topic.TOPIC] * TOPIC_RANK,
            ordinals=due.which,
            due_ms=due.due_ms,
            stamps_ms=voice.stamps_ms(due),
            bits=bits,
            fates=fates,
            values=topic.values(voice, due, Draws(bits, self.layer)) if written else [],
            schedule=due,
        )

    def _told_by_network(self, topic: NetworkTopic, begin_ms: int, end_ms: int) -> Iterator[Told]:
        if not self.voices:
            return
        for at_ms in topic.due_ms(self.profile, begin_ms, end_ms):
            parts = topic.records(self.voices, at_ms, self.limit_bytes)
            if not parts:
                continue
            due_ms = np.full(len(parts), at_ms, dtype=np.int64)
            names = [("network", topic.TOPIC, part.part) for part in parts]
            bits = hashed(stream_keys(self.profile.seed, list(names)), due_ms)
            rates = self.layer.rates[topic.CADENCE]
            yield Told(
                topic=topic.TOPIC,
                key=None,
                stations=[part.stations for part in parts],
                rank=RANKS[topic.TOPIC] * TOPIC_RANK,
                ordinals=np.arange(len(parts), dtype=np.int64),
                due_ms=due_ms,
                stamps_ms=due_ms + self.profile.epoch_ms,
                bits=bits,
                fates=decide(due_ms, due_ms, bits, rates, NO_OUTAGES),
                values=[part.value for part in parts],
                schedule=None,
            )

    def _in_order(self, told: Iterator[Told], end_ms: int) -> Iterator[Record]:
        """A chunk's records that go out before its end; the others wait."""
        records: list[Record] = []
        keys: list[tuple[Ints, Ints, Ints]] = []
        extra: list[Keyed] = self._waiting
        for each in told:
            for observer in self.observers:
                observer(each)
            records.extend(each.records())
            keys.append(each.order_keys())
            extra.extend(each.second_copies())
        records.extend(record for _, record in extra)
        if extra:
            columns = np.array([key for key, _ in extra], dtype=np.int64).T
            keys.append((columns[0], columns[1], columns[2]))
        if not records:
            self._waiting = []
            return
        sent_ms, ranks, due_ms = (np.concatenate(column) for column in zip(*keys, strict=True))
        order = np.lexsort((due_ms, ranks, sent_ms))
        behind = int(np.searchsorted(sent_ms[order], end_ms))
        self._waiting = [
            ((int(sent_ms[place]), int(ranks[place]), int(due_ms[place])), records[place])
            for place in order[behind:].tolist()
        ]
        yield from map(records.__getitem__, order[:behind].tolist())


def usual_chunk_ms(guns: int) -> int:
    """So much story that about 150,000 records wait to be put in order."""
    wanted = RECORDS_PER_CHUNK / (RECORDS_PER_GUN_S * max(guns, 1)) * 1000
    return round(min(max(wanted, CHUNK_MS_MIN), CHUNK_MS_MAX))


def _order(keyed: Keyed) -> tuple[int, int, int]:
    return keyed[0]
