"""A service consumes the results of the modules that its own depends on, listed or not."""

import json
from typing import Any

from tests.core.world import OUTPUT, World, in_world, small_config


def test_the_results_of_one_service_are_the_inputs_of_another() -> None:
    async def story(world: World) -> None:
        seen: list[dict[str, Any]] = []
        config = small_config(MODULE_DEPENDENCIES={"dependent": ["load_prediction"]})
        first = world.service()
        second = world.service(
            module_name="dependent",
            config=config,
            auto_offset_reset="earliest",
            upload_results=False,
        )
        assert OUTPUT in second.topics
        assert OUTPUT not in first.topics
        await world.send_raw(
            OUTPUT, json.dumps({"station_id": "A", "output": {"power": 5}}).encode()
        )
        await second.start(lambda station_id, module_input: seen.append(module_input))
        await world.until(lambda: len(seen) == 1)
        await second.stop()
        assert ([{"power": 5}], 5) == (
            seen[0]["load_prediction_output_window"],
            seen[0]["load_prediction_power"],
        )
        assert {
            "available_topics": [],
            "missing_topics": [],
            "total_topics": 0,
            "availability_ratio": 0.0,
        } == seen[0]["_data_quality"]

    in_world(story)
