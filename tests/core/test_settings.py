"""What a configuration may say; what is refused, and that the refusal names it."""

from types import SimpleNamespace
from typing import Any

import pytest

from data_analysis import (
    AsyncDataAnalysisService,
    AsyncKafkaConsumerClient,
    ConfigurationError,
    DataAnalysisService,
    KafkaConsumerClient,
    config,
)
from data_analysis.kafka.options import options_of, read_kafka_options
from data_analysis.settings import load_settings

TOPIC = {"fields": ["x"], "modules": ["m"], "window_size": 1}
KAFKA = {"bootstrap_servers": ["localhost:9092"], "group_id": "g"}


def _load(topics: Any = None, dependencies: Any = None, commits: Any = None) -> Any:
    return load_settings(
        SimpleNamespace(
            TOPIC_DETAIL={"T": TOPIC} if topics is None else topics,
            MODULE_DEPENDENCIES=dependencies or {},
            OFFSET_COMMIT_CONFIG=commits or {},
        )
    )


def test_the_default_configuration_is_valid_and_warns_of_nothing() -> None:
    settings = load_settings(config)
    listed = [topic.name for topic in settings.topics.values() if topic.listed]
    assert list(config.TOPIC_DETAIL) == listed
    assert 7 * 24 * 60 * 4 == settings.topics["REAL-STATION-DATA"].window_size
    assert ("load_prediction",) == settings.dependencies["operation_optimization"]
    assert () == read_kafka_options(config.KAFKA_CONFIG).unknown


@pytest.mark.parametrize(
    ("topics", "words"),
    [
        ([], "TOPIC_DETAIL must be a dict"),
        ({"a b": {}}, r"TOPIC_DETAIL\['a b'\] is no name that Kafka takes"),
        ({"..": {}}, "is no name that Kafka takes"),
        ({"T" * 250: {}}, "249 at most"),
        ({7: TOPIC}, "string keys, got the key 7; write '7'"),
        ({"T": 3}, r"TOPIC_DETAIL\['T'\] must be a dict"),
        ({"T": {"fields": ["x"], "modules": []}}, "lacks 'window_size'"),
        ({"T": {**TOPIC, "window_size": 0}}, r"\['window_size'\] must be an integer >= 1, got 0"),
        ({"T": {**TOPIC, "window_size": True}}, "window_size"),
        ({"T": {**TOPIC, "fields": "x"}}, "must be a list of non-empty strings"),
        ({"T": {**TOPIC, "fields": ["x", "x"]}}, "names 'x' twice"),
        ({"T": {**TOPIC, "fields": ["_data_quality"]}}, "_data_quality"),
        ({"T": {**TOPIC, "padding": "spline"}}, "'none', 'zero', 'linear', 'forward'"),
        ({"T": {**TOPIC, "expire_seconds": 0}}, "expire_seconds"),
    ],
)
def test_a_bad_topic_is_refused_by_key_value_and_what_is_allowed(topics: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        _load(topics)


def test_a_cycle_is_spelled_out() -> None:
    with pytest.raises(ConfigurationError, match="got a -> b -> c -> a"):
        _load(dependencies={"x": ["a"], "a": ["b"], "b": ["c"], "c": ["a"]})


def test_a_deep_lattice_is_no_cycle_and_takes_no_time() -> None:
    layers = {
        f"{level}{side}": [f"{level + 1}a", f"{level + 1}b"] for level in range(60) for side in "ab"
    }
    assert 122 == len([name for name in _load(dependencies=layers).modules if name != "m"])


def test_nested_and_flat_kafka_settings_mean_the_same() -> None:
    nested = {
        "consumer": {**KAFKA, "session_timeout_ms": 9000},
        "producer": {"bootstrap_servers": ["localhost:9092"], "compression_type": "none"},
    }
    flat = {**KAFKA, "session_timeout_ms": 9000, "compression_type": "none"}
    assert read_kafka_options(nested) == read_kafka_options(flat)


def test_kafka_settings_reach_the_clients_under_their_names() -> None:
    options = read_kafka_options(
        {**KAFKA, "acks": 1, "batch_size": 5, "linger_ms": 7, "fetch_max_wait_ms": 15000, "odd": 1}
    )
    assert (1, False, 5) == (
        options.producer["acks"],
        options.producer["enable_idempotence"],
        options.producer["max_batch_size"],
    )
    assert 15000 == options.consumer["fetch_max_wait_ms"]
    assert (7, ("odd",)) == (options.linger_ms, options.unknown)


@pytest.mark.parametrize(
    "server",
    ["a", "a:1", "kafka-1.example_net:65535", "10.0.0.1:9092", "::1", "[::1]", "[::1]:9092"],
)
def test_a_host_is_taken_with_and_without_a_port(server: str) -> None:
    options = read_kafka_options({**KAFKA, "bootstrap_servers": server})
    assert [server] == options.consumer["bootstrap_servers"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bootstrap_servers": None}, "bootstrap_servers is missing"),
        ({"bootstrap_servers": [3]}, "list of 'host:port'"),
        ({"bootstrap_servers": ["a:x"]}, r"list of 'host:port', got \['a:x'\]"),
        ({"bootstrap_servers": ["a:"]}, "list of 'host:port'"),
        ({"bootstrap_servers": "a:0"}, "list of 'host:port'"),
        ({"bootstrap_servers": "a:1,b:65536"}, "list of 'host:port'"),
        ({"bootstrap_servers": ["kafka://a:9092"]}, "list of 'host:port'"),
        ({"auto_offset_reset": "none"}, "'latest', 'earliest'"),
        ({"acks": 7}, "acks must be"),
        ({"compression_type": "rar"}, "compression_type"),
        ({"group_id": 3}, "group_id"),
        ({"max_poll_records": 0}, "max_poll_records"),
        ({"fetch_max_wait_ms": 50000}, "fetch_max_wait_ms must be < request_timeout_ms"),
        ({"security_protocol": "TLS"}, "security_protocol"),
        ({"security_protocol": "SSL", "ssl_cafile": "/no/such"}, "ssl_cafile"),
        ({"consumer": 3}, "'consumer' must be a dict"),
    ],
)
def test_a_bad_kafka_setting_is_refused_by_name(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        read_kafka_options({**KAFKA, **change})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"module_name": "no_such"}, "module_name must be one of load_prediction"),
        ({"topics": ["NO-SUCH"]}, "topics must be of TOPIC_DETAIL"),
        ({"topics": []}, "topics must not be empty"),
        ({"window_form": "frame"}, "'list', 'array'"),
        ({"padding": "spline"}, "padding"),
        ({"data_expire_seconds": 0}, "data_expire_seconds"),
        ({"on_callback_error": "stop"}, "on_callback_error"),
        ({"callback_retries": 2}, "set on_callback_error='retry'"),
        ({"max_pending_records": 0}, "max_pending_records"),
        ({"kafka_config": {"bootstrap_servers": ["a:1"]}}, "group_id is missing"),
        ({"config": SimpleNamespace(**{**vars(config), "KAFKA_CONFIG": [1]})}, "must be a dict"),
        ({"topics": "T"}, r"topics must be a list of names, got 'T'; write \['...'\]"),
        ({"topics": ["T", "T"]}, "topics names 'T' twice"),
        ({"module_name": ["load_prediction"]}, "module_name must be a non-empty string or None"),
        ({"output_topic_prefix": None}, "output_topic_prefix must be a string, got None"),
        (
            {"module_name": "load_prediction", "output_topic_prefix": "a b-"},
            "must be a topic name that Kafka takes, got 'a b-LOAD_PREDICTION'",
        ),
        ({"dead_letter_topic": ""}, "dead_letter_topic must be a topic name that Kafka takes"),
        ({"instance_id": 5}, "instance_id must be a non-empty string or None, got 5"),
        ({"result_handler": 5}, "result_handler must be callable, got 5"),
        ({"on_gap": "print"}, "on_gap must be callable, got 'print'"),
        ({"coalesce": "yes"}, "coalesce must be True or False, got 'yes'"),
        ({"upload_results": None}, "upload_results must be True or False"),
        ({"warm_start": 1}, "warm_start must be True or False"),
    ],
)
@pytest.mark.parametrize("service", [AsyncDataAnalysisService, DataAnalysisService])
def test_a_bad_option_of_a_service_is_refused_at_once(
    service: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        service(**options)


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({**KAFKA, "consumer": {"max_poll_records": 0}}, r"\(in kafka_config\['consumer'\]\)"),
        ({**KAFKA, "producer": {"acks": 7}}, r"\(in kafka_config\['producer'\]\)"),
        ({**KAFKA, "max_poll_records": 0}, r"\(in kafka_config\)"),
        (
            {**KAFKA, "retries": "x"},
            r"retries must be an integer >= 0, got 'x'.*\(in kafka_config\)",
        ),
        ({**KAFKA, "max_in_flight_requests_per_connection": 0}, r"\(in kafka_config\)"),
        ({**KAFKA, "buffer_memory": -1}, "buffer_memory must be an integer >= 1"),
        (
            {**KAFKA, "session_timeout_ms": 6000, "heartbeat_interval_ms": 6000},
            r"heartbeat_interval_ms must be < session_timeout_ms \(6000\), got 6000",
        ),
        ({**KAFKA, "enable_auto_commit": "yes"}, "must be True or False, got 'yes'"),
        ({**KAFKA, "multi_consumer_mode": 1}, "multi_consumer_mode must be True or False"),
        ({**KAFKA, "security_protocol": "SASL_SSL"}, "sasl_plain_username must be a non-empty"),
        ({**KAFKA, "security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "NTLM"}, "'PLAIN'"),
    ],
)
def test_a_refusal_says_where_the_setting_stands(config: dict[str, Any], place: str) -> None:
    with pytest.raises(ConfigurationError, match=place):
        read_kafka_options(config)


@pytest.mark.parametrize(
    ("session_ms", "heartbeat_ms"), [(30000, 3000), (9000, 3000), (6000, 2000), (2, 1)]
)
def test_heartbeats_fit_into_the_session(session_ms: int, heartbeat_ms: int) -> None:
    options = read_kafka_options({**KAFKA, "session_timeout_ms": session_ms})
    assert heartbeat_ms == options.consumer["heartbeat_interval_ms"]
    given = {"session_timeout_ms": session_ms, "heartbeat_interval_ms": 1}
    assert 1 == read_kafka_options({**KAFKA, **given}).consumer["heartbeat_interval_ms"]


def test_multi_consumer_mode_is_read_on_top_and_in_the_consumer() -> None:
    for given in ({**KAFKA, "multi_consumer_mode": True}, _nested(multi_consumer_mode=True)):
        options = read_kafka_options(given)
        assert options.one_per_topic(["A", "B"])
        assert not options.one_per_topic(["A"])
        assert "g-A" == options.of_topic("A").group_id
    assert not read_kafka_options(KAFKA).one_per_topic(["A", "B"])


def _nested(**consumer: Any) -> dict[str, Any]:
    return {"consumer": {**KAFKA, **consumer}, "producer": {}}


@pytest.mark.parametrize(
    ("topics", "words"),
    [
        ("T", r"topics must be a list of names, got 'T'; write \['...'\]"),
        (None, "topics must not be empty, got None"),
        ([], "topics must not be empty"),
        (["T", "T"], "topics names 'T' twice"),
        (["a b"], "each of topics must be a topic name that Kafka takes, got 'a b'"),
        ([5], "each of topics must be a topic name that Kafka takes, got 5"),
    ],
)
@pytest.mark.parametrize("client", [AsyncKafkaConsumerClient, KafkaConsumerClient])
def test_topics_that_a_client_cannot_read_are_refused(client: Any, topics: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        client(topics, KAFKA)


SECRET = "s3cr3t-pa55"  # what must not be shown
SASL = {"sasl_plain_username": "u", "sasl_plain_password": SECRET}


def test_secrets_are_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    given = {**KAFKA, **SASL, "security_protocol": "SASL_PLAINTEXT", "odd": SECRET}
    options = options_of(given)
    assert SECRET == options.consumer["sasl_plain_password"]
    assert SECRET not in repr(options) + str(options.producer) + f"{options.admin}"
    assert "***" in repr(options)
    assert "odd" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    "config",
    [
        [SECRET],
        {**KAFKA, "consumer": [SECRET]},
        {**KAFKA, **SASL, "security_protocol": "SASL_PLAINTEXT", "sasl_plain_password": [SECRET]},
        {**KAFKA, **SASL, "acks": 7},
    ],
)
def test_a_refusal_shows_no_secret(config: Any) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_kafka_options(config)
    assert SECRET not in str(refused.value)
