"""`station-lab check-config FILE`: is a configuration valid, and what does it say?"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from data_analysis.settings import Settings

SECRETS = ("sasl_plain_password", "ssl_keyfile")
MASK = "***"


@click.command("check-config")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check_config(file: Path) -> None:
    """Check the configuration in FILE (.py or .toml) and say what a service would do with it.

    Nothing is connected. Exit code 0 if it is valid; 2, with one line, if not.
    """
    from data_analysis.commands.config_file import read_config_file
    from data_analysis.kafka.options import check_group_id, read_kafka_options
    from data_analysis.settings import load_settings

    config = read_config_file(file)
    settings = load_settings(config)
    kafka = config.KAFKA_CONFIG
    options = read_kafka_options(kafka)
    check_group_id(options)
    for line in _told(settings):
        click.echo(line)
    click.echo(f"Kafka: {masked(kafka)}")
    unused = [*options.unknown, *_unused(config)]
    if unused:
        click.echo(f"without effect: {', '.join(unused)}")
    click.echo(f"{file} is valid")


def _told(settings: "Settings") -> Iterator[str]:
    for module, topics in settings.modules.items():
        needed = settings.dependencies.get(module, ())
        after = f"; depends on {', '.join(needed)}" if needed else ""
        yield f"module {module}: {', '.join(topics) or 'no topic'}{after}"


def _unused(config: Any) -> Iterator[str]:
    """Name the keys that nothing reads: misspelt ones, above all."""
    from data_analysis.settings import OFFSET_KEYS, TOPIC_KEYS

    for key in getattr(config, "OFFSET_COMMIT_CONFIG", {}):
        if key not in OFFSET_KEYS:
            yield f"OFFSET_COMMIT_CONFIG[{key!r}]"
    for topic, detail in config.TOPIC_DETAIL.items():
        for key in detail:
            if key not in TOPIC_KEYS:
                yield f"TOPIC_DETAIL[{topic!r}][{key!r}]"


def masked(config: Any) -> Any:
    """Return a Kafka configuration with its secrets masked, at any depth."""
    if not isinstance(config, dict):
        return config
    return {key: MASK if key in SECRETS else masked(value) for key, value in config.items()}
