"""`station-lab load`: its options, its exit codes, and where its output goes.

The report goes to standard output, progress to standard error. Exit codes: 0 held, 1 a threshold
was missed or a record lost, 2 the run could not be had, 130 Ctrl-C.
"""

import asyncio
import json
import signal
from collections.abc import Callable
from typing import Any

import click
import hdrh.histogram  # noqa: F401  # the command line names the missing extra before the run
from rich.console import Console

from station_load.plan import LoadPlan
from station_load.progress import RunProgress
from station_load.report import Report, print_report
from station_load.run import DEFAULT_CALLBACK, DEFAULT_SERVICE, Target, run_load
from station_load.thresholds import Threshold
from station_sim.finite_range import FiniteRange

POSITIVE = FiniteRange(min=0, min_open=True)
COUNT = click.IntRange(min=1)

THRESHOLDS = {
    "min_sent_per_s": ("sent_per_s", "min", "Records per second that must get to Kafka."),
    "min_processed_per_s": ("processed_per_s", "min", "Records per second that must be processed."),
    "max_p50_ms": ("p50_ms", "max", "Half of the records must be as quick, in ms."),
    "max_p99_ms": ("p99_ms", "max", "99 of 100 records must be as quick, in ms."),
}
"""Option: the figure of the report, which way, and its help."""


def _threshold_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for name, (_, _, text) in reversed(THRESHOLDS.items()):
        option = "--" + name.replace("_", "-")
        command = click.option(option, name, type=FiniteRange(min=0), help=text)(command)
    return command


@click.command()
@click.option("--stations", type=COUNT, default=100, show_default=True, help="Sending stations.")
@click.option(
    "--rate", type=POSITIVE, default=1000.0, show_default=True, help="Records per second in all."
)
@click.option(
    "--users", type=COUNT, default=2, show_default=True, help="Locust users: gateways that send."
)
@click.option(
    "--duration", type=POSITIVE, default=30.0, show_default=True, help="Seconds of sending."
)
@click.option(
    "--drain",
    type=POSITIVE,
    default=30.0,
    show_default=True,
    help="Seconds after the last send when a record without a result is lost.",
)
@click.option(
    "--partitions", type=COUNT, default=8, show_default=True, help="Partitions of each topic."
)
@click.option(
    "--broker", default="docker", show_default=True, help="docker, jvm, embedded or host:port."
)
@click.option(
    "--service",
    default=DEFAULT_SERVICE,
    show_default=True,
    metavar="PKG.MOD:FACTORY",
    help="Makes the service under load, as in `station-lab run`.",
)
@click.option(
    "--callback",
    default=DEFAULT_CALLBACK,
    show_default=True,
    metavar="PKG.MOD:FUNCTION",
    help="The model under load: (station_id, module_input) -> result.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Decides phases and values.")
@_threshold_options
@click.option("--allow-remote", is_flag=True, help="The broker may be another machine's.")
@click.option("--use-existing-topics", is_flag=True, help="The topics may be there already.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def load(
    stations: int,
    rate: float,
    users: int,
    duration: float,
    drain: float,
    partitions: int,
    broker: str,
    service: str,
    callback: str,
    seed: int,
    allow_remote: bool,
    use_existing_topics: bool,
    as_json: bool,
    **limits: float | None,
) -> int:
    """Send station records through Kafka to a service, and measure rates, latency and losses.

    Latency counts from the instant a record was due, to when its result can be read in the output
    topic. A record that Kafka acknowledged and that never has a result is lost.
    """
    plan = LoadPlan(
        stations=stations,
        rate_per_s=rate,
        users=users,
        duration_s=duration,
        seed=seed,
        partitions=partitions,
        drain_s=drain,
    )
    target = Target(broker, service, callback, allow_remote, use_existing_topics)
    with RunProgress(duration) as progress:
        report = _run(plan, target, stated_thresholds(limits), progress)
    if report is None:
        click.echo("interrupted before a record was sent", err=True)
        return 130
    if as_json:
        click.echo(json.dumps(report.as_json()))
    else:
        console = Console()
        with console.capture() as captured:
            print_report(report, console)
        # rich would end the program when nobody reads.
        click.echo(captured.get(), nl=False)
    return report.exit_code


def stated_thresholds(limits: dict[str, float | None]) -> list[Threshold]:
    """The thresholds for which the user gave a limit."""
    return [
        Threshold(figure, "min" if way == "min" else "max", limit)
        for name, (figure, way, _) in THRESHOLDS.items()
        if (limit := limits[name]) is not None
    ]


def _run(
    plan: LoadPlan, target: Target, thresholds: list[Threshold], progress: RunProgress
) -> Report | None:
    async def main() -> Report:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await run_load(plan, target, thresholds, progress)

    try:
        return asyncio.run(main())
    except (KeyboardInterrupt, asyncio.CancelledError):
        return None
