"""Which groups a configuration uses for which topics, and how its Kafka is reached."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data_analysis.commands.config_file import read_config_file
from data_analysis.commands.serving import Order, kafka_config
from data_analysis.errors import ConfigurationError
from data_analysis.kafka.options import read_kafka_options
from data_analysis.settings import check_module, load_settings


def group_ids(base: str, topics: Sequence[str], *, is_multi: bool) -> dict[str, list[str]]:
    """Return topics by group: `{base}-{topic}` for each, or `base` for all of them.

    As in the service, one topic alone is read by a single consumer, in the base group.
    """
    if is_multi and len(topics) > 1:
        return {f"{base}-{topic}": [topic] for topic in topics}
    return {base: list(topics)}


def configured_groups(
    config_path: Path | None,
    *,
    bootstrap: str | None = None,
    group_id: str | None = None,
    module_name: str | None = None,
) -> tuple[Mapping[str, Any], dict[str, list[str]]]:
    """Return the options of aiokafka's clients, and topics by group.

    The topics are those that a service of a module reads, or of all modules for None.

    Raises:
        ConfigurationError: the configuration is not valid, or names no group or no such module.
    """
    config = read_config_file(config_path)
    order = Order(callback=print, bootstrap=bootstrap, group_id=group_id)
    kafka = kafka_config(config.KAFKA_CONFIG, order)
    options = read_kafka_options(kafka)
    if options.group_id is None:
        raise ConfigurationError("group_id is missing; set it in 'consumer', or give --group-id")
    settings = load_settings(config)
    check_module(settings, module_name)
    topics = settings.consumed(module_name)
    return options.admin, group_ids(options.group_id, topics, is_multi=is_multi_consumer(kafka))


def is_multi_consumer(kafka: Mapping[str, Any]) -> bool:
    """Return whether a Kafka configuration asks for a consumer per topic."""
    consumer = kafka.get("consumer", {})
    return bool(consumer.get("multi_consumer_mode", kafka.get("multi_consumer_mode", False)))
