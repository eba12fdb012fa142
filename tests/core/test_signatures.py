"""The reference's names: importable, and its parameters a prefix of ours."""

import inspect
import subprocess
import sys
from collections.abc import Callable

import pytest

import data_analysis

NO_DEFAULT = inspect.Parameter.empty
SERVICE = {
    "module_name": None,
    "topics": None,
    "kafka_config": None,
    "data_expire_seconds": 600,
    "output_topic_prefix": "MODULE-OUTPUT-",
    "result_handler": None,
}
STATION = {"station_id": NO_DEFAULT}
TOPIC = {**STATION, "topic": NO_DEFAULT}
REFERENCE = [
    ("DataAnalysisService", SERVICE),
    ("DataAnalysisService.start", {"callback": None, "background": True}),
    ("DataAnalysisService.stop", {}),
    ("DataAnalysisService.get_outputs", STATION),
    ("DataAnalysisService.get_all_inputs", STATION),
    ("DataAnalysisService.add_station", {**STATION, "callback": NO_DEFAULT}),
    ("DataAnalysisService.remove_station", STATION),
    ("DataAnalysisService.reload_config", {}),
    ("DataAnalysisService.get_station_status", {}),
    ("DataAnalysisService.get_service_status", {}),
    ("AsyncDataAnalysisService", SERVICE),
    (
        "AsyncDataAnalysisService.start",
        {"callback": None, "result_handler": None, "batch_upload_handler": None},
    ),
    ("AsyncDataAnalysisService.stop", {}),
    ("AsyncDataAnalysisService.get_all_inputs", STATION),
    ("AsyncDataAnalysisService.get_outputs", STATION),
    ("AsyncDataAnalysisService.add_station", {**STATION, "callback": NO_DEFAULT}),
    ("AsyncDataAnalysisService.remove_station", STATION),
    ("AsyncDataAnalysisService.get_station_status", {}),
    ("AsyncDataAnalysisService.get_service_status", {}),
    ("AsyncDataAnalysisService.reload_config", {}),
    (
        "BatchResultAggregator",
        {"batch_upload_handler": NO_DEFAULT, "batch_timeout": 5.0, "cleanup_interval": 60.0},
    ),
    (
        "BatchResultAggregator.open",
        {"batch_id": NO_DEFAULT, "expected_stations": NO_DEFAULT, "key": None},
    ),
    (
        "BatchResultAggregator.add_result",
        {"collector": NO_DEFAULT, "station_id": NO_DEFAULT, "result": NO_DEFAULT},
    ),
    ("BatchResultAggregator.cleanup_expired", {"max_age_seconds": 300.0}),
    ("DataDispatcher", {"data_expire_seconds": 600}),
    ("DataDispatcher.update_topic_data", {**TOPIC, "raw_data": NO_DEFAULT}),
    ("DataDispatcher.get_topic_window", TOPIC),
    ("DataDispatcher.get_module_input", {**STATION, "module": NO_DEFAULT}),
    ("DataDispatcher.get_all_inputs", STATION),
    ("DataDispatcher.clean_expired", {}),
    ("DataDispatcher.reload_config", {"config_mod": NO_DEFAULT}),
    (
        "AsyncKafkaConsumerClient",
        {"topics": NO_DEFAULT, "config": NO_DEFAULT, "loop": None},
    ),
    ("AsyncKafkaConsumerClient.start", {}),
    ("AsyncKafkaConsumerClient.getone", {}),
    ("AsyncKafkaConsumerClient.stop", {}),
    ("AsyncKafkaProducerClient", {"config": NO_DEFAULT, "loop": None}),
    ("AsyncKafkaProducerClient.start", {}),
    ("AsyncKafkaProducerClient.send", {"topic": NO_DEFAULT, "value": NO_DEFAULT}),
    ("AsyncKafkaProducerClient.stop", {}),
    (
        "KafkaConsumerClient",
        {"topics": NO_DEFAULT, "config": NO_DEFAULT, "max_retries": 5, "retry_interval": 5},
    ),
    ("KafkaConsumerClient.poll", {"timeout_ms": 1000}),
    ("KafkaConsumerClient.close", {}),
    ("KafkaProducerClient", {"config": NO_DEFAULT, "max_retries": 5, "retry_interval": 5}),
    ("KafkaProducerClient.send", {"topic": NO_DEFAULT, "value": NO_DEFAULT}),
    ("KafkaProducerClient.close", {}),
    (
        "OffsetManager",
        {
            "commit_interval_seconds": 5.0,
            "commit_batch_size": 100,
            "max_commit_retries": 3,
            "commit_retry_delay": 1.0,
        },
    ),
]
COROUTINES = {
    "AsyncDataAnalysisService": {
        "start",
        "stop",
        "get_all_inputs",
        "get_outputs",
        "add_station",
        "remove_station",
    },
    "AsyncKafkaConsumerClient": {"start", "stop", "getone"},
    "AsyncKafkaProducerClient": {"start", "stop", "send"},
}


@pytest.mark.parametrize(("path", "expected"), REFERENCE, ids=[path for path, _ in REFERENCE])
def test_the_reference_s_parameters_come_first(path: str, expected: dict[str, object]) -> None:
    found: object = data_analysis
    for name in path.split("."):
        found = getattr(found, name)
    assert callable(found)
    parameters = list(inspect.signature(found).parameters.values())
    ours = {each.name: each.default for each in parameters if each.name != "self"}
    assert list(expected.items()) == list(ours.items())[: len(expected)]
    beyond = [each for each in parameters if each.name not in (*expected, "self")]
    assert [] == [
        each.name for each in beyond if each.default is NO_DEFAULT and "OffsetManager" not in path
    ]


METHODS = [path.split(".") for path, _ in REFERENCE if "." in path]


@pytest.mark.parametrize(("owner", "name"), METHODS, ids=map(".".join, METHODS))
def test_methods_are_coroutines_where_the_asynchronous_api_says_so(owner: str, name: str) -> None:
    found = inspect.iscoroutinefunction(getattr(getattr(data_analysis, owner), name))
    assert (name in COROUTINES.get(owner, ())) is found


OF_ONE_SERVICE = {
    "batch_handler_retries",
    "batch_upload_handler",
    "callback_stall_seconds",
    "run_callbacks_in",
    "background",
    "result_handler",
}
"""Parameters that make sense, or are in the reference, in one of the two services alone."""


def _parameters(function: Callable[..., object]) -> dict[str, object]:
    return {each.name: each.default for each in inspect.signature(function).parameters.values()}


@pytest.mark.parametrize(
    ("blocking", "asynchronous"),
    [
        (data_analysis.DataAnalysisService, data_analysis.AsyncDataAnalysisService),
        (data_analysis.KafkaConsumerClient, data_analysis.AsyncKafkaConsumerClient),
        (data_analysis.KafkaProducerClient, data_analysis.AsyncKafkaProducerClient),
    ],
)
def test_what_both_kinds_have_is_called_alike(blocking: type, asynchronous: type) -> None:
    one, other = _parameters(blocking), _parameters(asynchronous)
    assert set() == (set(one) ^ set(other)) - {*OF_ONE_SERVICE, "connect", "loop"}
    assert [] == [name for name in one if name in other and one[name] != other[name]]


def test_both_services_have_the_same_methods_with_the_same_parameters() -> None:
    services = data_analysis.DataAnalysisService, data_analysis.AsyncDataAnalysisService
    one, other = (
        {name: each for name, each in inspect.getmembers(service) if not name.startswith("_")}
        for service in services
    )
    assert list(one) == list(other)
    for name in one:
        if callable(one[name]):
            differ = set(_parameters(one[name])) ^ set(_parameters(other[name]))
            assert set() == differ - OF_ONE_SERVICE, name


def test_every_public_name_can_be_imported_and_errors_have_one_base() -> None:
    for name in data_analysis.__all__:
        assert name in dir(data_analysis)
        assert getattr(data_analysis, name) is not None
    for name in ("KafkaConnectionError", "DispatcherError", "ConfigurationError", "BatchError"):
        assert issubclass(getattr(data_analysis, name), data_analysis.DataAnalysisError)
    with pytest.raises(AttributeError, match="no_such"):
        getattr(data_analysis, "no_such")  # noqa: B009  # the module's own __getattr__ is meant


def test_importing_the_package_imports_no_client() -> None:
    clients = ("aiokafka", "kafka", "numpy")
    code = f"import sys, data_analysis; print([n for n in {clients} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]" == done.stdout.strip()
