"""What a Kafka configuration may say, and what the aiokafka clients are given of it.

Nested (`consumer`, `producer`) and flat dicts are accepted, and so are keys that the library
handles itself or that a client has no use for; a key outside all lists is named in one warning.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from data_analysis.errors import ConfigurationError
from data_analysis.settings import check_choice, check_integer, check_number

SECURITY_KEYS = (
    "security_protocol",
    "sasl_mechanism",
    "sasl_plain_username",
    "sasl_plain_password",
)
SSL_FILE_KEYS = ("ssl_cafile", "ssl_certfile", "ssl_keyfile")
CONSUMER_KEYS = (
    "request_timeout_ms",
    "session_timeout_ms",
    "heartbeat_interval_ms",
    "max_poll_interval_ms",
    "rebalance_timeout_ms",
    "fetch_max_wait_ms",
    "fetch_min_bytes",
    "max_partition_fetch_bytes",
)
"""Handed to the consumer under the same name; all are numbers."""

OWN_CONSUMER_KEYS = (
    "bootstrap_servers",
    "group_id",
    "auto_offset_reset",
    "enable_auto_commit",
    "max_poll_records",
    "multi_consumer_mode",
)
OWN_PRODUCER_KEYS = ("bootstrap_servers", "acks", "compression_type", "linger_ms", "batch_size")
UNUSED_PRODUCER_KEYS = ("retries", "max_in_flight_requests_per_connection", "buffer_memory")
"""Accepted: an idempotent producer retries by itself and bounds what is in flight."""

RESET_POLICIES = ("latest", "earliest")
COMPRESSIONS = ("none", "gzip", "snappy", "lz4", "zstd")
SECURITY_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
ACKS = {"all": "all", "-1": "all", "1": 1, "0": 0}
DEFAULT_REQUEST_TIMEOUT_MS = 40_000
DEFAULT_FETCH_MAX_WAIT_MS = 500
DEFAULT_BATCH_BYTES = 65_536
"""Results of one partition that one request carries; a partition has one request at a time."""


@dataclass(frozen=True, slots=True)
class KafkaOptions:
    """A checked Kafka configuration.

    `consumer` and `producer` are keyword arguments of aiokafka's clients, `admin` those of its
    admin client; the rest the library handles itself. `unknown` are keys outside all lists.
    """

    consumer: Mapping[str, Any]
    producer: Mapping[str, Any]
    admin: Mapping[str, Any]
    group_id: str | None
    auto_offset_reset: str
    enable_auto_commit: bool
    max_poll_records: int
    linger_ms: float
    unknown: tuple[str, ...]


def read_kafka_options(config: Mapping[str, Any]) -> KafkaOptions:
    """Check a Kafka configuration, nested or flat.

    Raises:
        ConfigurationError: a value is missing or not allowed.
    """
    if not isinstance(config, Mapping):
        raise ConfigurationError(f"kafka_config must be a dict, got {config!r}; pass one")
    flat = {key: value for key, value in config.items() if key not in ("consumer", "producer")}
    consumer = {**flat, **_section(config, "consumer")}
    producer = {**flat, **_section(config, "producer")}
    if consumer.get("multi_consumer_mode"):
        raise ConfigurationError(
            "multi_consumer_mode must be False, got True: one consumer reads all topics;"
            " remove the key"
        )
    security = _security(consumer)
    producer_security = _security(producer)
    servers = _servers(consumer, producer)
    return KafkaOptions(
        consumer=MappingProxyType(
            {"bootstrap_servers": servers, **security, **_consumer_numbers(consumer)}
        ),
        producer=MappingProxyType(
            {
                "bootstrap_servers": _servers(producer, consumer),
                **producer_security,
                **_producer(producer),
            }
        ),
        admin=MappingProxyType({"bootstrap_servers": servers, **security}),
        group_id=_group_id(consumer.get("group_id")),
        auto_offset_reset=_choice(consumer, "auto_offset_reset", RESET_POLICIES, "latest"),
        enable_auto_commit=bool(consumer.get("enable_auto_commit", True)),
        max_poll_records=check_integer(
            "max_poll_records", consumer.get("max_poll_records", 500), least=1
        ),
        linger_ms=check_number("linger_ms", producer.get("linger_ms", 5), least=0),
        unknown=_unknown(config, flat),
    )


def _section(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = config.get(name, {})
    if not isinstance(section, Mapping):
        raise ConfigurationError(f"{name!r} must be a dict, got {section!r}; write {{...}}")
    return section


def _servers(*sections: Mapping[str, Any]) -> list[str]:
    for section in sections:
        servers = section.get("bootstrap_servers")
        if isinstance(servers, str):
            servers = [server.strip() for server in servers.split(",")]
        if servers is None:
            continue
        if isinstance(servers, list | tuple) and servers and all(map(_is_server, servers)):
            return list(servers)
        raise ConfigurationError(
            f"bootstrap_servers must be a list of 'host:port', got {servers!r};"
            " write ['localhost:9092']"
        )
    raise ConfigurationError(
        "bootstrap_servers is missing; set it at the top level or in 'consumer' and 'producer'"
    )


def _is_server(server: object) -> bool:
    return isinstance(server, str) and bool(server) and " " not in server


def _group_id(group_id: object) -> str | None:
    if group_id is None or (isinstance(group_id, str) and group_id):
        return group_id
    raise ConfigurationError(f"group_id must be a non-empty string, got {group_id!r}; name a group")


def _choice(section: Mapping[str, Any], key: str, allowed: tuple[str, ...], default: str) -> str:
    value = section.get(key, default)
    check_choice(key, value, allowed)
    return str(value)


def _consumer_numbers(consumer: Mapping[str, Any]) -> dict[str, int]:
    numbers = {
        key: check_integer(key, consumer[key], least=1) for key in CONSUMER_KEYS if key in consumer
    }
    wait = numbers.get("fetch_max_wait_ms", DEFAULT_FETCH_MAX_WAIT_MS)
    timeout = numbers.get("request_timeout_ms", DEFAULT_REQUEST_TIMEOUT_MS)
    if wait >= timeout:
        raise ConfigurationError(
            f"fetch_max_wait_ms must be < request_timeout_ms ({timeout}), got {wait};"
            " lower it or raise request_timeout_ms"
        )
    return numbers


def _producer(producer: Mapping[str, Any]) -> dict[str, Any]:
    acks = ACKS.get(str(producer.get("acks", "all")))
    if acks is None:
        allowed = "'all', '1' or '0'"
        raise ConfigurationError(f"acks must be {allowed}, got {producer['acks']!r}; choose one")
    compression = producer.get("compression_type") or "none"
    check_choice("compression_type", compression, COMPRESSIONS)
    options: dict[str, Any] = {
        "acks": acks,
        "enable_idempotence": acks == "all",
        "compression_type": None if compression == "none" else compression,
    }
    batch_bytes = producer.get("batch_size", DEFAULT_BATCH_BYTES)
    options["max_batch_size"] = check_integer("batch_size", batch_bytes, least=1)
    return options


def _security(section: Mapping[str, Any]) -> dict[str, Any]:
    options = {key: section[key] for key in SECURITY_KEYS if section.get(key) is not None}
    protocol = options.get("security_protocol", "PLAINTEXT")
    check_choice("security_protocol", protocol, SECURITY_PROTOCOLS)
    if "SSL" in protocol.split("_")[-1]:
        options["ssl_context"] = _ssl_context(section)
    return options


def _ssl_context(section: Mapping[str, Any]) -> ssl.SSLContext:
    cafile, certfile, keyfile = (section.get(key) for key in SSL_FILE_KEYS)
    try:
        context = ssl.create_default_context(cafile=cafile)
        if certfile is not None:
            context.load_cert_chain(certfile, keyfile)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"ssl_cafile {cafile!r}, ssl_certfile {certfile!r}, ssl_keyfile {keyfile!r}"
            f" cannot be used: {error}; check the files"
        ) from error
    return context


def _unknown(config: Mapping[str, Any], flat: Mapping[str, Any]) -> tuple[str, ...]:
    shared = (*SECURITY_KEYS, *SSL_FILE_KEYS)
    for_consumer = (*CONSUMER_KEYS, *OWN_CONSUMER_KEYS, *shared)
    for_producer = (*OWN_PRODUCER_KEYS, *UNUSED_PRODUCER_KEYS, *shared)
    unknown = [key for key in flat if key not in for_consumer + for_producer]
    unknown += [f"consumer.{key}" for key in config.get("consumer", {}) if key not in for_consumer]
    unknown += [f"producer.{key}" for key in config.get("producer", {}) if key not in for_producer]
    return tuple(unknown)
