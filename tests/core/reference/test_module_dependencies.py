"""What the reference says of MODULE_DEPENDENCIES."""

from typing import Any

import pytest

from data_analysis import ConfigurationError, DataDispatcher
from data_analysis import config as default_config
from data_analysis.settings import load_settings
from station_sim.brokers import TopicSpec
from tests.core.reference.statements import states
from tests.core.reference.test_dispatcher import SetClock
from tests.core.world import World, in_world, small_config

CHAPTER = "模块依赖配置 (MODULE_DEPENDENCIES)"


@states(
    "`MODULE_DEPENDENCIES`：electricity_price、station_guidance、thermal_management、"
    "operation_optimization",
    "config.MODULE_DEPENDENCIES",
)
def test_the_default_dependencies_are_the_reference_s() -> None:
    expected = {
        "electricity_price": ["pv_prediction", "evaluation_model", "SOH_model"],
        "station_guidance": ["load_prediction", "evaluation_model"],
        "thermal_management": ["load_prediction", "operation_optimization"],
        "operation_optimization": ["load_prediction"],
    }
    assert expected == default_config.MODULE_DEPENDENCIES


@states(
    "键为模块名称，值为该模块依赖的其他模块列表",
    "settings.load_settings",
)
def test_every_module_that_is_named_has_an_input() -> None:
    config = small_config(MODULE_DEPENDENCIES={"evaluation_model": ["load_prediction"]})
    dispatcher = DataDispatcher(config=config, clock=SetClock())
    assert {"load_prediction", "evaluation_model"} == set(dispatcher.get_all_inputs("A"))
    assert ("load_prediction",) == dispatcher.settings.dependencies["evaluation_model"]
    with pytest.raises(ConfigurationError, match="a -> b -> a"):
        load_settings(small_config(MODULE_DEPENDENCIES={"a": ["b"], "b": ["a"]}))


@states(
    "依赖模块的数据会自动包含在模块输入中",
    "topics.outputs.OutputTopic",
    "inputs.ModulePlan.assemble",
)
def test_what_one_service_uploads_is_in_the_input_of_a_module_that_depends_on_it() -> None:
    async def story(world: World) -> None:
        seen: list[dict[str, Any]] = []
        config = small_config(MODULE_DEPENDENCIES={"evaluation_model": ["load_prediction"]})
        await world.broker.make_topics(TopicSpec("MODULE-OUTPUT-EVALUATION_MODEL", partitions=1))
        first = world.service(config=config)
        second = world.service(
            module_name="evaluation_model", config=config, kafka={"group_id": "second"}
        )
        await first.start(world.callback)
        await second.start(lambda station_id, given: seen.append(given))
        await world.send("A", 7.0)
        await world.until(lambda: len(seen) == 1)
        await first.stop()
        await second.stop()
        assert ("A", 7.0) == (seen[0]["stationId"], seen[0]["load_prediction_power"])
        assert {"power": 7.0} == seen[0]["load_prediction_output_window"][-1]
        assert "MODULE-OUTPUT-LOAD_PREDICTION" in second.topics

    in_world(story)
