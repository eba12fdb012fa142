"""kafka-python's words for a checked configuration; the checks are in `kafka.options`."""

from collections.abc import Mapping
from typing import Any

from data_analysis.kafka.options import DEFAULT_REQUEST_TIMEOUT_MS, KafkaOptions

DEFAULT_IDLE_MS = 540_000

MOST_IN_FLIGHT = 5
"""Requests of an idempotent producer that Kafka keeps in order."""


LONGEST_RECONNECT_MS = 1_000
"""Longest wait between two tries to reach a broker that is away; kafka-python's own is 30 s."""


def blocking_consumer_options(options: KafkaOptions) -> dict[str, Any]:
    """Return keyword arguments of kafka-python's consumer.

    It takes `max_poll_interval_ms` for the time a rebalance may take, and wants idle connections to
    outlive every request.
    """
    blocking = {key: options.consumer[key] for key in options.consumer}
    blocking.pop("rebalance_timeout_ms", None)
    timeout_ms = blocking.setdefault("request_timeout_ms", DEFAULT_REQUEST_TIMEOUT_MS)
    blocking["reconnect_backoff_max_ms"] = LONGEST_RECONNECT_MS
    blocking["connections_max_idle_ms"] = max(DEFAULT_IDLE_MS, timeout_ms + 1)
    return blocking


def blocking_admin_options(options: KafkaOptions) -> dict[str, Any]:
    """Return keyword arguments of a kafka-python client that only asks."""
    return {**options.admin, "reconnect_backoff_max_ms": LONGEST_RECONNECT_MS}


def blocking_producer_options(options: KafkaOptions, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return keyword arguments of kafka-python's producer.

    `retries` and `max_in_flight_requests_per_connection` are read from `config`, for only
    kafka-python has a use for them. An idempotent producer retries at least once and has at most
    five requests in flight, or Kafka does not keep their order.
    """
    blocking = {key: options.producer[key] for key in options.producer}
    blocking["reconnect_backoff_max_ms"] = LONGEST_RECONNECT_MS
    blocking["batch_size"] = blocking.pop("max_batch_size")
    given = {**config, **config.get("producer", {})}
    idempotent = blocking["enable_idempotence"]
    key = "max_in_flight_requests_per_connection"
    in_flight = given.get(key, MOST_IN_FLIGHT)
    blocking[key] = min(in_flight, MOST_IN_FLIGHT) if idempotent else in_flight
    # kafka-python collects while a partition has a request under way, and waits for more only if
    # that is asked for.
    blocking["linger_ms"] = options.linger_ms if "linger_ms" in given else 0
    if "retries" in given:
        blocking["retries"] = max(given["retries"], 1) if idempotent else given["retries"]
    return blocking
