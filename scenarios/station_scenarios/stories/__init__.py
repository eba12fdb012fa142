"""The stories, by name, in the order in which they are told."""

from station_scenarios.scenario import Scenario
from station_scenarios.stories.late_batch import LATE_BATCH
from station_scenarios.stories.offset_out_of_range import OFFSET_OUT_OF_RANGE
from station_scenarios.stories.steady_day import STEADY_DAY

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario for scenario in (STEADY_DAY, OFFSET_OUT_OF_RANGE, LATE_BATCH)
}
