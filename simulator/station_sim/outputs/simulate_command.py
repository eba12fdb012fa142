"""`station-lab simulate`: a network's records to files, to stdout or to a broker.

Options and their checks live here; everything else is imported when the command runs.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from station_sim.finite_range import FiniteRange

if TYPE_CHECKING:
    from station_sim.outputs.output import Address
    from station_sim.outputs.simulation import Simulation

EXIT_OK, EXIT_LOST, EXIT_INTERRUPTED = 0, 1, 130
LIST_HELP = "may be repeated, or a list with commas"


@click.command("simulate")
@click.argument("profile_name", metavar="PROFILE")
@click.option(
    "--days",
    type=FiniteRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Story days.",
)
@click.option(
    "--to",
    "target",
    metavar="WHERE",
    default="-",
    help="FILE.jsonl, a new folder (Parquet), kafka://HOST:PORT, or - for stdout (default).",
)
@click.option("--topics", multiple=True, metavar="T", help=f"Only these; {LIST_HELP}.")
@click.option("--stations", multiple=True, metavar="S", help=f"Ids or numbers; {LIST_HELP}.")
@click.option(
    "--start",
    type=click.DateTime(),
    help="When the story begins, local time, instead of the profile's.",
)
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Instead of the profile's.")
@click.option(
    "--pace",
    type=FiniteRange(min=0, min_open=True),
    metavar="P",
    help="Story seconds a second; without, as fast as possible.",
)
@click.option("--no-imperfections", is_flag=True, help="Everything arrives, in time and once.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.html",
    help="Also draw what happened.",
)
@click.option("--allow-remote", is_flag=True, help="Permit a broker that is not on this machine.")
@click.option("--use-existing-topics", is_flag=True, help="Permit topics that exist already.")
def simulate(profile_name: str, **options: Any) -> int:
    """Tell what the network PROFILE says on the wire.

    PROFILE is one that comes with the package, or a TOML file. Exit code: 0 all sent, 1 some
    records were refused or failed, 2 it could not run, 130 Ctrl-C.
    """
    from station_sim.outputs.output import Address
    from station_sim.outputs.telling_progress import tell_end

    simulation = _simulation(profile_name, options)
    address = Address.of(options["target"])
    kafka = {name: options[name] for name in ("allow_remote", "use_existing_topics")}
    sent = simulation.run(address, **(kafka if address.bootstrap else {}))
    tell_end(sent, options["target"])
    if options["report"] is not None and sent.count:
        _report(simulation, address, options["report"], sent.interrupted)
    if sent.interrupted:
        return EXIT_INTERRUPTED
    return EXIT_LOST if sent.failed or sent.refused else EXIT_OK


def listed(values: tuple[str, ...]) -> list[str]:
    """Options that may be repeated or have commas, as one list."""
    return [each.strip() for value in values for each in value.split(",") if each.strip()]


def _simulation(profile_name: str, options: dict[str, Any]) -> "Simulation":
    from station_sim.outputs.simulation import Simulation, changed
    from station_sim.profiles import load_profile
    from station_sim.streams.topics.registry import TOPICS

    profile = changed(load_profile(profile_name), options["seed"], options["start"])
    return Simulation(
        profile,
        options["days"],
        topics=listed(options["topics"]) or TOPICS,
        stations=listed(options["stations"]),
        is_perfect=options["no_imperfections"],
        pace=options["pace"],
    )


def _report(
    simulation: "Simulation", address: "Address", target: Path, is_interrupted: bool
) -> None:
    """Draw the run; its tables go beside the records, or where they are forgotten again."""
    from tempfile import TemporaryDirectory

    from station_sim.outputs.run_folder import save_run
    from station_sim.pictures.report import write_report
    from station_sim.world.charging_network import Network

    if is_interrupted:
        click.echo("no report of an interrupted run", err=True)
        return
    with TemporaryDirectory() as spare:
        folder = address.folder or Path(spare)
        save_run(Network(simulation.profile), 0.0, simulation.days * 86_400, folder)
        write_report(folder, target)
    click.echo(f"report in {target}", err=True)
