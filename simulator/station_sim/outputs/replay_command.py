"""`station-lab replay`: recorded records sent again.

Options and their checks live here; everything else is imported when the command runs.
"""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from station_sim.finite_range import FiniteRange
from station_sim.outputs.simulate_command import EXIT_INTERRUPTED, EXIT_LOST, EXIT_OK, listed

if TYPE_CHECKING:
    from station_sim.outputs.output import Address
    from station_sim.outputs.sending import Sent
    from station_sim.streams.record import Record


@click.command("replay")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)
@click.option(
    "--to",
    "target",
    metavar="WHERE",
    default="-",
    help="FILE.jsonl, a new folder (Parquet), kafka://HOST:PORT, or - for stdout (default).",
)
@click.option("--shift", "shift_s", type=float, metavar="S", help="Seconds that all times move by.")
@click.option("--start", type=click.DateTime(), help="Move times so that the first is this, local.")
@click.option(
    "--pace",
    type=FiniteRange(min=0, min_open=True),
    metavar="P",
    help="Recorded seconds a second; without, as fast as possible.",
)
@click.option("--stations", multiple=True, metavar="ID", help="Only these; repeat, or use commas.")
@click.option("--topics", multiple=True, metavar="T", help="Only these; repeat, or use commas.")
@click.option("--imperfections", is_flag=True, help="Lose, delay, double, spoil some on the way.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N")
@click.option("--allow-remote", is_flag=True, help="Permit a broker that is not on this machine.")
@click.option("--use-existing-topics", is_flag=True, help="Permit topics that exist already.")
def replay(files: tuple[Path, ...], **options: Any) -> int:
    """Send the records of FILEs again: JSON lines, Parquet, or folders of them.

    Exit code: 0 all sent, 1 some lines were bad or some records not taken, 2 it could not run,
    130 Ctrl-C.
    """
    if options["shift_s"] is not None and options["start"] is not None:
        raise click.UsageError("--shift and --start exclude each other")
    from station_sim.outputs.output import Address
    from station_sim.outputs.recorded import BadLines
    from station_sim.outputs.telling_progress import tell_end

    bad = BadLines()
    address = Address.of(options["target"])
    sent = _send(files, options, bad, address)
    tell_end(sent, options["target"])
    for place in bad.places:
        click.echo(f"bad: {place}", err=True)
    if bad.count:
        click.echo(f"{bad.count} lines could not be read", err=True)
    if sent.interrupted:
        return EXIT_INTERRUPTED
    return EXIT_LOST if bad.count or sent.failed or sent.refused else EXIT_OK


def _send(files: tuple[Path, ...], options: dict[str, Any], bad: Any, address: "Address") -> "Sent":
    from station_sim.outputs.kafka import KafkaOutput
    from station_sim.outputs.output import open_files
    from station_sim.outputs.sending import send_to_files, send_to_kafka
    from station_sim.outputs.telling_progress import ProgressBar

    records = _records(files, options, bad)
    pace = options["pace"]
    with ProgressBar("replaying", None) as progress:
        if address.bootstrap is None:
            return send_to_files(records, open_files(address, ()), pace, progress)
        topics = listed(options["topics"]) or _topics(files, bad)
        output = KafkaOutput(
            address.bootstrap,
            topics,
            allow_remote=options["allow_remote"],
            use_existing_topics=options["use_existing_topics"],
        )

        async def send() -> "Sent":
            async with output:
                return await send_to_kafka(records, output, pace, progress)

        return asyncio.run(send())


def _topics(files: tuple[Path, ...], bad: Any) -> list[str]:
    """The topics that the files speak on: they are read once more for it."""
    from station_sim.outputs.recorded import BadLines, read

    return sorted({row.topic for row in read(files, BadLines())})


def _records(files: tuple[Path, ...], options: dict[str, Any], bad: Any) -> Iterator["Record"]:
    """Read, chosen, moved and made imperfect, as the options say."""
    from station_sim.outputs.recorded import read
    from station_sim.outputs.replaying import as_records, imperfect, moved, of_stations
    from station_sim.streams.imperfections import Imperfections

    rows = read(files, bad, set(listed(options["topics"])))
    stations = set(listed(options["stations"]))
    if stations:
        rows = of_stations(rows, stations)
    first = next(rows, None)
    if first is None:
        return iter(())
    shift_ms = _shift_ms(first.at_ms, options["shift_s"], options["start"])
    origin_ms = first.at_ms + shift_ms
    records = as_records(moved(chain([first], rows), shift_ms), origin_ms)
    if options["imperfections"]:
        return imperfect(records, Imperfections(), options["seed"], origin_ms)
    return records


def _shift_ms(first_ms: int, shift_s: float | None, start: datetime | None) -> int:
    from station_sim.world.profile import STATION_TIMEZONE

    if start is not None:
        return round(start.replace(tzinfo=STATION_TIMEZONE).timestamp() * 1000) - first_ms
    return round((shift_s or 0.0) * 1000)
