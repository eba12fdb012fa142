"""`station-lab broker`: the simulated Kafka on a TCP port.

Only the command line lives here; all else is imported when the command runs, so that `--help` stays
quick.
"""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from station_sim.kafka.serving import NewTopic


@click.command("broker")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    default=9092,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen at; 0 takes a free one.",
)
@click.option(
    "--topic",
    "topics",
    multiple=True,
    metavar="NAME:PARTITIONS",
    help="A topic to begin with; may be repeated.",
)
@click.option(
    "--set",
    "properties",
    multiple=True,
    metavar="KEY=VALUE",
    help="A broker setting under Kafka's own name, as in num.partitions=3; may be repeated.",
)
@click.option("--seed", default=0, show_default=True, help="Decides ids of cluster and topics.")
@click.option("--parent-pid", type=int, help="End when the process of this id is gone.")
@click.option("--exit-on-stdin-close", is_flag=True, help="End when standard input ends.")
def broker(
    host: str,
    port: int,
    topics: tuple[str, ...],
    properties: tuple[str, ...],
    seed: int,
    parent_pid: int | None,
    exit_on_stdin_close: bool,
) -> None:
    """Run the simulated Kafka as a server.

    Prints one line, `listening on HOST:PORT`, when clients may connect. Keeps everything in memory;
    ends on SIGTERM or Ctrl-C.
    """
    import asyncio

    from station_sim.errors import LabError
    from station_sim.kafka.error_codes import RefusalError
    from station_sim.kafka.serving import ServeOptions, serve
    from station_sim.kafka.settings import BrokerSettings

    options = ServeOptions(
        host=host,
        port=port,
        topics=[_parse_topic(text) for text in topics],
        settings=BrokerSettings.from_kafka(dict(map(_parse_property, properties))),
        seed=seed,
        parent_pid=parent_pid,
        exit_on_stdin_close=exit_on_stdin_close,
    )
    try:
        asyncio.run(serve(options))
    except RefusalError as error:
        raise LabError(f"cannot make a topic: {error.message}") from error


def _parse_topic(text: str) -> "NewTopic":
    from station_sim.kafka.serving import NewTopic

    name, _, count = text.rpartition(":")
    if not name or not count.isdigit():
        raise click.UsageError(f"--topic {text} is not NAME:PARTITIONS, as in REAL-STATION-DATA:3")
    return NewTopic(name, int(count))


def _parse_property(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise click.UsageError(f"--set {text} is not KEY=VALUE, as in num.partitions=3")
    return name, value
