"""A day of one service that has nothing to do, in virtual time: what waiting costs.

python -m tests.benchmarks.idle_day [FETCH_MAX_WAIT_MS]
"""

import asyncio
import sys

from data_analysis import AsyncDataAnalysisService
from station_scenarios.scenario import STORY_TOPICS
from station_scenarios.service import MODULE, kafka_config, story_config
from station_sim.brokers import TopicSpec, open_broker
from station_sim.clock import run_virtual

DAY_S = 86_400
PARTITIONS = 3


async def idle(consumer_options: dict[str, int]) -> None:
    """Start the service, let a day pass, stop it."""
    async with open_broker("virtual") as broker:
        await broker.make_topics(
            *(TopicSpec(topic, partitions=PARTITIONS) for topic in STORY_TOPICS)
        )
        service = AsyncDataAnalysisService(
            MODULE,
            kafka_config=kafka_config(broker.bootstrap, "idle", consumer_options),
            config=story_config(STORY_TOPICS),
        )
        await service.start(callback=lambda station_id, module_input: None)
        await asyncio.sleep(DAY_S)
        await service.stop()


def main() -> None:
    """Idle for a day, with the waiting time of fetches from the command line."""
    options = {"fetch_max_wait_ms": int(sys.argv[1])} if len(sys.argv) > 1 else {}
    run_virtual(lambda: idle(options))


if __name__ == "__main__":
    main()
