"""The types of inputs against what the dispatcher gives, key by key and value by value."""

import types
import typing
from typing import Any, Union

import pytest

import data_analysis
from data_analysis import DataDispatcher, config
from data_analysis import types as input_types
from tests.core.payloads import CALENDAR, HOURLY, ITEMS, item

INPUTS = {
    "load_prediction": data_analysis.LoadPredictionInput,
    "operation_optimization": data_analysis.OperationOptimizationInput,
    "electricity_price": data_analysis.ElectricityPriceInput,
    "station_guidance": data_analysis.StationGuidanceInput,
    "thermal_management": data_analysis.ThermalManagementInput,
    "evaluation_model": data_analysis.EvaluationModelInput,
    "SOH_model": data_analysis.SohModelInput,
    "pv_prediction": data_analysis.PvPredictionInput,
}


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type, as deep as the type says."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or hint is None:
        return hint is Any or value is None
    if origin in (Union, types.UnionType):
        return any(_fits(value, each) for each in inner)
    if origin is list:
        return type(value) is list and all(_fits(each, inner[0]) for each in value)
    if typing.is_typeddict(hint):
        hints = typing.get_type_hints(hint)
        return (
            isinstance(value, dict)
            and hints.keys() == value.keys()
            and all(_fits(value[name], hints[name]) for name in hints)
        )
    # An int is a float, as type checkers have it.
    return isinstance(value, (int, float) if hint is float else hint)


def test_every_module_of_the_default_configuration_has_a_type() -> None:
    assert set(DataDispatcher().get_all_inputs("A")) == set(INPUTS)


@pytest.mark.parametrize("filled", [False, True], ids=["without data", "with data"])
@pytest.mark.parametrize("module", INPUTS)
def test_an_input_is_of_its_type(module: str, filled: bool) -> None:
    dispatcher = DataDispatcher()
    for topic in config.TOPIC_DETAIL if filled else ():
        raw = item(topic)
        dispatcher.update_topic_data("A", topic, [raw] if topic in (HOURLY, CALENDAR) else raw)
    given = dispatcher.get_module_input("A", module)
    hints = typing.get_type_hints(INPUTS[module])
    assert hints.keys() == given.keys()
    wrong = {name: given[name] for name in hints if not _fits(given[name], hints[name])}
    assert {} == wrong
    assert filled == (given["_data_quality"]["availability_ratio"] == 1.0)


def test_a_wrong_value_does_not_fit() -> None:
    hints = typing.get_type_hints(input_types.StorageFields)
    assert not _fits(["x"], hints["device_storage"] | int)
    assert not _fits("x", float | None)


def test_items_cover_every_topic() -> None:
    assert {*config.TOPIC_DETAIL, "MODULE-OUTPUT-LOAD_PREDICTION"} == set(ITEMS)
