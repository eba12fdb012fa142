"""`station-lab broker`: the simulated Kafka on a TCP port.

Only the command line lives here; all else is imported when the command runs, so that `--help` stays
quick. What the options mean is checked in `command_options.py`, the life of the server is in
`serving.py`.
"""

import gc
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

LOG_LEVELS = ("debug", "info", "warning", "error")

NODES_MAX = 100
"""More nodes than this in one process are a slip."""

USERS_VARIABLE = "STATION_LAB_USERS"
"""Users as with `--user`, one a line."""


@click.command("broker")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    default=9092,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port of the first node, the others follow; 0 takes free ones.",
)
@click.option("--allow-remote", is_flag=True, help="Permit a --host that other machines reach.")
@click.option("--advertised-host", help="Name or address that clients are told; the --host if not.")
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
@click.option(
    "--user",
    "users",
    multiple=True,
    metavar="NAME:PASSWORD",
    help="Only users may connect, by SASL; may be repeated. Others can read a command line: "
    f"rather use --users-file, or the variable {USERS_VARIABLE}.",
)
@click.option(
    "--users-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with a user, NAME:PASSWORD, on each line.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder that keeps everything over restarts; made if it is not there.",
)
@click.option(
    "--nodes", default=1, show_default=True, type=click.IntRange(1, NODES_MAX), help="How many."
)
@click.option(
    "--node-id",
    default=0,
    show_default=True,
    type=click.IntRange(0, 2**31 - 1 - NODES_MAX),
    help="Id of the first node, the others follow.",
)
@click.option(
    "--as-version",
    metavar="RELEASE",
    help="Offer the requests of an older Apache Kafka, as in 2.8.",
)
@click.option(
    "--control",
    metavar="[HOST:]PORT",
    help="Let faults and state be asked for by HTTP here; port 0 takes a free one.",
)
@click.option("--seed", default=0, show_default=True, help="Decides ids of cluster and topics.")
@click.option(
    "--log-level",
    default="info",
    show_default=True,
    type=click.Choice(LOG_LEVELS),
    help="What is told on stderr; debug tells of every request.",
)
@click.option("--parent-pid", type=int, help="End when the process of this id is gone.")
@click.option("--exit-on-stdin-close", is_flag=True, help="End when standard input ends.")
@click.pass_context
def broker(ctx: click.Context, /, **given: Any) -> None:
    """Run the simulated Kafka as a server.

    Prints on stdout, when clients may connect, `listening on HOST:PORT` (of several nodes: all of
    them, separated by commas), and with --control a second line, `control on URL`. Keeps everything
    in memory, or in the folder of --data. Ends on SIGTERM with code 0, on Ctrl-C with code 130.
    """
    with _quick_imports():
        import asyncio

        from station_sim.kafka.command_options import serve_options
        from station_sim.kafka.serving import serve

    _start_logging(given["log_level"])
    options = serve_options(**given)
    if asyncio.run(serve(options)) == signal.SIGINT:
        ctx.exit(128 + signal.SIGINT)


@contextmanager
def _quick_imports() -> Iterator[None]:
    """Import without clients that nobody needs, and without looking for garbage all the while."""
    from station_sim.kafka.deferred_clients import defer_clients

    defer_clients()
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _start_logging(level: str) -> None:
    import logging
    import sys

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("station-lab: %(message)s"))
    logger = logging.getLogger("station_sim.kafka")
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    logger.propagate = False
