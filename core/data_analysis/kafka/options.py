"""What a Kafka configuration may say, and what the aiokafka clients are given of it.

Nested (`consumer`, `producer`) and flat dicts are accepted, and so are keys that the library
handles itself or that a client has no use for; a key outside all lists is named in one warning.
A refusal names the key, the value, what is allowed and where it stands; secrets are never shown.
"""

import logging
import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv6Address
from types import MappingProxyType
from typing import Any

from data_analysis.errors import ConfigurationError
from data_analysis.settings import check_choice, check_integer, check_number, check_switch

logger = logging.getLogger(__name__)

SECTIONS = ("consumer", "producer")
SECURITY_KEYS = (
    "security_protocol",
    "sasl_mechanism",
    "sasl_plain_username",
    "sasl_plain_password",
)
SECRET_KEYS = ("sasl_plain_password",)
MASK = "***"
"""What is shown in place of a secret."""

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
    "metadata_max_age_ms",
)
"""Handed to the consumer under the same name; all are numbers. The last one is how soon a topic or
a partition that appears is found at the latest."""

OWN_CONSUMER_KEYS = (
    "bootstrap_servers",
    "group_id",
    "auto_offset_reset",
    "enable_auto_commit",
    "max_poll_records",
    "multi_consumer_mode",
)
OWN_PRODUCER_KEYS = ("bootstrap_servers", "acks", "compression_type", "linger_ms", "batch_size")
UNUSED_PRODUCER_KEYS = {
    "retries": 0,
    "max_in_flight_requests_per_connection": 1,
    "buffer_memory": 1,
}
"""Accepted, from these numbers on: an idempotent producer retries by itself and bounds what is in
flight."""

RESET_POLICIES = ("latest", "earliest")
COMPRESSIONS = ("none", "gzip", "snappy", "lz4", "zstd")
SECURITY_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
SASL_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
ACKS = {"all": "all", "-1": "all", "1": 1, "0": 0}
MAX_PORT = 65_535
_SERVER = re.compile(r"(?:\[[^\s\[\]]+\]|[^\s\[\]:/]+)(?::(?P<port>[0-9]+))?")
"""A host with or without a port; brackets are around an IPv6 address."""

DEFAULT_REQUEST_TIMEOUT_MS = 40_000
DEFAULT_HEARTBEAT_INTERVAL_MS = 3_000
HEARTBEATS_PER_SESSION = 3
"""Heartbeats that a session should survive the loss of, as Kafka advises, one less."""

DEFAULT_FETCH_MAX_WAIT_MS = 500
DEFAULT_FETCH_MIN_BYTES = 1
DEFAULT_BATCH_BYTES = 65_536
"""Results of one partition that one request carries; a partition has one request at a time."""


class _Arguments(dict[str, Any]):
    """Keyword arguments of a client; secrets are not shown."""

    def __repr__(self) -> str:
        return repr({key: MASK if key in SECRET_KEYS else self[key] for key in self})


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
    multi_consumer_mode: bool = False

    @property
    def fetch_max_wait_ms(self) -> int:
        """How long a broker waits at most before it answers a fetch."""
        wait: int = self.consumer.get("fetch_max_wait_ms", DEFAULT_FETCH_MAX_WAIT_MS)
        return wait

    @property
    def fetch_min_bytes(self) -> int:
        """How many bytes a broker waits for before it answers a fetch."""
        least: int = self.consumer.get("fetch_min_bytes", DEFAULT_FETCH_MIN_BYTES)
        return least

    def one_per_topic(self, topics: Sequence[str]) -> bool:
        """Return whether these topics are read by a consumer each; one topic needs only one."""
        return self.multi_consumer_mode and len(topics) > 1

    def of_topic(self, topic: str) -> "KafkaOptions":
        """Return these options with the group of one topic."""
        return replace(self, group_id=topic_group_id(self.group_id or "", topic))


def topic_group_id(group_id: str, topic: str) -> str:
    """Return the group of the consumer of one topic in multi-consumer mode."""
    return f"{group_id}-{topic}"


def read_kafka_options(config: Mapping[str, Any]) -> KafkaOptions:
    """Check a Kafka configuration, nested or flat.

    Raises:
        ConfigurationError: a value is missing or not allowed.
    """
    config = checked_shape(config)
    flat = {key: value for key, value in config.items() if key not in SECTIONS}
    consumer, producer = (_Part(name, flat, config.get(name, {})) for name in SECTIONS)
    security = _security(consumer)
    producer_security = _security(producer)
    servers = _servers(consumer, producer)
    return KafkaOptions(
        consumer=_arguments(
            {"bootstrap_servers": servers, **security, **_consumer_numbers(consumer)}
        ),
        producer=_arguments(
            {
                "bootstrap_servers": _servers(producer, consumer),
                **producer_security,
                **_producer(producer),
            }
        ),
        admin=_arguments({"bootstrap_servers": servers, **security}),
        group_id=_group_id(consumer),
        auto_offset_reset=_choice(consumer, "auto_offset_reset", RESET_POLICIES, "latest"),
        enable_auto_commit=_switch(consumer, "enable_auto_commit", default=True),
        max_poll_records=_integer(consumer, "max_poll_records", 500),
        linger_ms=_linger(producer),
        unknown=_unknown(flat, consumer, producer),
        multi_consumer_mode=_switch(consumer, "multi_consumer_mode", default=False),
    )


def checked_shape(config: Any) -> Mapping[str, Any]:
    """Return a Kafka configuration that is a dict and whose sections are.

    Raises:
        ConfigurationError: it is not, or one of them is not.
    """
    if not isinstance(config, Mapping):
        raise ConfigurationError(
            f"kafka_config must be a dict, got {_kind(config)}; pass {{'bootstrap_servers': ...}}"
        )
    for name in SECTIONS:
        section = config.get(name, {})
        if not isinstance(section, Mapping):
            raise ConfigurationError(
                f"{name!r} must be a dict, got {_kind(section)}; write {{...}} (in kafka_config)"
            )
    return config


def options_of(config: Mapping[str, Any] | KafkaOptions) -> KafkaOptions:
    """Return options that were read already, or read them and warn of keys outside all lists.

    Raises:
        ConfigurationError: a value is missing or not allowed.
    """
    if isinstance(config, KafkaOptions):
        return config
    options = read_kafka_options(config)
    warn_of_unknown(options)
    return options


def check_group_id(options: KafkaOptions) -> str:
    """Return the group that a consumer joins.

    Raises:
        ConfigurationError: there is none.
    """
    if options.group_id is None:
        raise ConfigurationError(
            "group_id is missing; set it in 'consumer' or on top (in kafka_config)"
        )
    return options.group_id


def warn_of_unknown(options: KafkaOptions) -> None:
    """Name the keys that have no effect in one warning; their values are not shown."""
    if options.unknown:
        logger.warning("Kafka settings without effect: %s", ", ".join(options.unknown))


class _Part:
    """The settings of the consumer or the producer: its own, else those of the top level."""

    def __init__(self, name: str, flat: Mapping[str, Any], own: Mapping[str, Any]) -> None:
        self.name = name
        self.own = own
        self._flat = flat

    def get(self, key: str, default: Any = None) -> Any:
        return self.own.get(key, self._flat.get(key, default))

    def __contains__(self, key: str) -> bool:
        return key in self.own or key in self._flat

    @contextmanager
    def naming(self, key: str) -> Iterator[None]:
        """Say in a refusal where the key stands."""
        try:
            yield
        except ConfigurationError as error:
            place = f"[{self.name!r}]" if key in self.own else ""
            raise ConfigurationError(f"{error} (in kafka_config{place})") from error.__cause__


def _arguments(arguments: dict[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(_Arguments(arguments))


def _kind(value: object) -> str:
    """Return what stands where a dict should: never its content, which may be secret."""
    return "None" if value is None else f"a {type(value).__name__}"


def _servers(*parts: _Part) -> list[str]:
    for part in parts:
        servers = part.get("bootstrap_servers")
        if servers is None:
            continue
        listed = [servers] if isinstance(servers, str) else servers
        if isinstance(listed, list | tuple) and listed and all(map(_is_text, listed)):
            split = [server.strip() for text in listed for server in text.split(",")]
            if all(map(_is_server, split)):
                return split
        with part.naming("bootstrap_servers"):
            raise ConfigurationError(
                f"bootstrap_servers must be a list of 'host:port', got {servers!r};"
                " write ['localhost:9092']"
            )
    raise ConfigurationError(
        "bootstrap_servers is missing; set it at the top level of kafka_config or in its"
        " 'consumer' and 'producer'"
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_server(server: str) -> bool:
    found = _SERVER.fullmatch(server)
    if found is None:
        return _is_ipv6(server)
    return found["port"] is None or 1 <= int(found["port"]) <= MAX_PORT


def _is_ipv6(address: str) -> bool:
    try:
        return bool(IPv6Address(address))
    except ValueError:
        return False


def _group_id(part: _Part) -> str | None:
    group_id = part.get("group_id")
    if group_id is None or (isinstance(group_id, str) and group_id):
        return group_id
    with part.naming("group_id"):
        raise ConfigurationError(
            f"group_id must be a non-empty string, got {group_id!r}; name a group"
        )


def _choice(part: _Part, key: str, allowed: tuple[str, ...], default: str) -> str:
    value = part.get(key, default)
    with part.naming(key):
        check_choice(key, value, allowed)
    return str(value)


def _switch(part: _Part, key: str, *, default: bool) -> bool:
    value = part.get(key, default)
    with part.naming(key):
        return check_switch(key, value)


def _integer(part: _Part, key: str, default: int) -> int:
    with part.naming(key):
        return check_integer(key, part.get(key, default), least=1)


def _linger(part: _Part) -> float:
    with part.naming("linger_ms"):
        return check_number("linger_ms", part.get("linger_ms", 5), least=0)


def _consumer_numbers(part: _Part) -> dict[str, int]:
    numbers = {key: _integer(part, key, 1) for key in CONSUMER_KEYS if key in part}
    _fit_heartbeat(part, numbers)
    wait = numbers.get("fetch_max_wait_ms", DEFAULT_FETCH_MAX_WAIT_MS)
    timeout = numbers.get("request_timeout_ms", DEFAULT_REQUEST_TIMEOUT_MS)
    if wait >= timeout:
        with part.naming("fetch_max_wait_ms"):
            raise ConfigurationError(
                f"fetch_max_wait_ms must be < request_timeout_ms ({timeout}), got {wait};"
                " lower it or raise request_timeout_ms"
            )
    return numbers


def _fit_heartbeat(part: _Part, numbers: dict[str, int]) -> None:
    """Have heartbeats fit into a session that is shorter than usual."""
    session = numbers.get("session_timeout_ms")
    if session is None:
        return
    heartbeat = numbers.get("heartbeat_interval_ms")
    if heartbeat is None:
        fitting = max(1, session // HEARTBEATS_PER_SESSION)
        numbers["heartbeat_interval_ms"] = min(DEFAULT_HEARTBEAT_INTERVAL_MS, fitting)
    elif heartbeat >= session:
        with part.naming("heartbeat_interval_ms"):
            raise ConfigurationError(
                f"heartbeat_interval_ms must be < session_timeout_ms ({session}), got {heartbeat};"
                " lower it to a third of that"
            )


def _producer(part: _Part) -> dict[str, Any]:
    acks = ACKS.get(str(part.get("acks", "all")))
    if acks is None:
        with part.naming("acks"):
            raise ConfigurationError(
                f"acks must be 'all', '1' or '0', got {part.get('acks')!r}; choose one"
            )
    for key, least in UNUSED_PRODUCER_KEYS.items():
        if key in part:
            with part.naming(key):
                check_integer(key, part.get(key), least=least)
    compression = part.get("compression_type") or "none"
    with part.naming("compression_type"):
        check_choice("compression_type", compression, COMPRESSIONS)
    return {
        "acks": acks,
        "enable_idempotence": acks == "all",
        "compression_type": None if compression == "none" else compression,
        "max_batch_size": _integer(part, "batch_size", DEFAULT_BATCH_BYTES),
    }


def _security(part: _Part) -> dict[str, Any]:
    options = {key: part.get(key) for key in SECURITY_KEYS if part.get(key) is not None}
    protocol = _choice(part, "security_protocol", SECURITY_PROTOCOLS, "PLAINTEXT")
    if protocol.startswith("SASL"):
        _choice(part, "sasl_mechanism", SASL_MECHANISMS, "PLAIN")
        for key in ("sasl_plain_username", "sasl_plain_password"):
            _check_credential(part, key, protocol)
    if protocol.endswith("SSL"):
        options["ssl_context"] = _ssl_context(part)
    return options


def _check_credential(part: _Part, key: str, protocol: str) -> None:
    value = part.get(key)
    if isinstance(value, str) and value:
        return
    with part.naming(key):
        raise ConfigurationError(
            f"{key} must be a non-empty string with security_protocol={protocol!r},"
            f" got {'an empty one' if value == '' else _kind(value)}; set it"
        )


def _ssl_context(part: _Part) -> ssl.SSLContext:
    cafile, certfile, keyfile = (part.get(key) for key in SSL_FILE_KEYS)
    try:
        context = ssl.create_default_context(cafile=cafile)
        if certfile is not None:
            context.load_cert_chain(certfile, keyfile)
    except (OSError, TypeError, ssl.SSLError) as error:
        with part.naming(SSL_FILE_KEYS[0]):
            raise ConfigurationError(
                f"ssl_cafile {cafile!r}, ssl_certfile {certfile!r}, ssl_keyfile {keyfile!r}"
                f" cannot be used: {error}; check the files"
            ) from error
    return context


def _unknown(flat: Mapping[str, Any], consumer: _Part, producer: _Part) -> tuple[str, ...]:
    shared = (*SECURITY_KEYS, *SSL_FILE_KEYS)
    for_consumer = (*CONSUMER_KEYS, *OWN_CONSUMER_KEYS, *shared)
    for_producer = (*OWN_PRODUCER_KEYS, *UNUSED_PRODUCER_KEYS, *shared)
    unknown = [key for key in flat if key not in for_consumer + for_producer]
    unknown += [f"consumer.{key}" for key in consumer.own if key not in for_consumer]
    unknown += [f"producer.{key}" for key in producer.own if key not in for_producer]
    return tuple(map(str, unknown))
