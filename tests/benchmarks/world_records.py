"""A network's records as bytes ready to send, measured: how many a second, and in what memory.

    python -m tests.benchmarks.world_records STATIONS HOURS...

Records are drawn from the iterator and let go of, on one processor. Tables are `world`'s.
"""

import json
import sys
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field

from station_sim.outputs.simulation import Simulation
from station_sim.streams.topics.registry import TOPICS
from tests.benchmarks.world_physics import peak_mib, profile_of

HOURS_PER_DAY = 24
TOPIC_HOURS = 2.0
WARM_UP_DAYS = 0.01


@dataclass
class Rates:
    """Records and seconds of the processor, of all topics together and of each by itself.

    `peaks_mib` is what the process held at most until each of some story hours.
    """

    stations: int
    guns: int
    records: int = 0
    value_bytes: int = 0
    cpu_s: float = 0.0
    peaks_mib: dict[float, float] = field(default_factory=dict)
    topics: dict[str, tuple[int, float]] = field(default_factory=dict)


def measured(stations: int, hours: list[float]) -> Rates:
    """Draw all topics' records until the last of `hours`, then each topic's of two."""
    profile = profile_of(stations)
    warm = Simulation(profile, WARM_UP_DAYS)
    guns = sum(len(voice.site.guns) for voice in warm.telling().voices)
    deque(warm.telling().records(warm.end_ms), maxlen=0)
    rates = Rates(stations, guns)
    draw_all(rates, Simulation(profile, hours[-1] / HOURS_PER_DAY), hours)
    for topic in TOPICS:
        alone = Simulation(profile, TOPIC_HOURS / HOURS_PER_DAY, topics=[topic])
        records, began_s = alone.telling().records(alone.end_ms), time.process_time()
        rates.topics[topic] = sum(1 for _ in records), time.process_time() - began_s
    return rates


def draw_all(rates: Rates, simulation: Simulation, hours: list[float]) -> None:
    """Draw every record; the peak is noted when the last one of each hour has gone by."""
    records, began_s = simulation.telling().records(simulation.end_ms), time.process_time()
    waiting = deque(hours)
    topics: Counter[str] = Counter()
    for record in records:
        if waiting and record.sent_ms >= waiting[0] * 3_600_000:
            rates.peaks_mib[waiting.popleft()] = peak_mib()
        rates.records += 1
        rates.value_bytes += len(record.value)
        topics[record.topic] += 1
    rates.cpu_s = time.process_time() - began_s
    for hour in waiting:
        rates.peaks_mib[hour] = peak_mib()
    missing = set(TOPICS) - set(topics)
    assert not missing, f"no records of {', '.join(sorted(missing))}"


if __name__ == "__main__":
    found = measured(int(sys.argv[1]), list(map(float, sys.argv[2:])))
    print(json.dumps(asdict(found)))
