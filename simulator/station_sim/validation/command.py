"""`station-lab validate`: simulate a profile, and say whether it is what a network is like.

The only place of this room that starts a simulation; judging reads the files that it left.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from station_sim.errors import LabError
from station_sim.finite_range import FiniteRange

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from station_sim.validation.special_targets import SpecialRun

EXIT_MISSED = 1
SECONDS_PER_DAY = 86_400.0
PAGE_WIDTH = 140
TOLD_STATIONS = 3
"""Stations whose records are kept for the invariants of the wire."""


@click.command("validate")
@click.argument("profile")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N")
@click.option(
    "--days",
    type=FiniteRange(min=1),
    default=30,
    show_default=True,
    metavar="N",
    help="Story days of the ordinary run.",
)
@click.option(
    "--stations",
    type=click.IntRange(min=1),
    metavar="N",
    help="Stations, instead of the profile's own number.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Leave the runs in DIR/RUN, one folder each; default: remove them.",
)
@click.option("--only-ordinary", is_flag=True, help="Leave out the special runs of 16, 22, 26.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write an HTML report with all of it.",
)
def validate(profile: str, **options: Any) -> int:
    """Simulate PROFILE, and hold it to the targets and invariants of a charging network.

    Exit code: 0 all that could be measured is met, 1 something is missed or violated, 2 it could
    not run, 130 Ctrl-C.
    """
    from station_sim.validation.judgement import judge_runs
    from station_sim.validation.results_table import print_judgement
    from station_sim.validation.saved_run import SavedRun
    from station_sim.validation.targets import ORDINARY

    keep: Path | None = options.pop("keep")
    report: Path | None = options.pop("report")
    with _folder(keep) as folder:
        names = _save_runs(profile, folder, **options)
        runs = {name: SavedRun(folder / name) for name in names}
        judgement = judge_runs(runs)
        if report is not None:
            from station_sim.pictures.report import write_report

            write_report(folder / ORDINARY, report, judgement=judgement)
    print_judgement(judgement, _console())
    return 0 if judgement.held else EXIT_MISSED


def _console() -> "Console":
    """The terminal, or a wide page where the output goes elsewhere."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=PAGE_WIDTH)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Where runs are saved: a folder to keep, new or empty, or one that is removed afterwards."""
    if keep is None:
        with TemporaryDirectory(prefix="station-lab-validate-") as name:
            yield Path(name)
        return
    if keep.exists() and any(keep.iterdir()):
        raise LabError(f"--keep {keep} is not empty; name a new folder")
    keep.mkdir(parents=True, exist_ok=True)
    yield keep


def _save_runs(
    name: str,
    folder: Path,
    *,
    seed: int,
    days: float,
    stations: int | None,
    only_ordinary: bool,
) -> list[str]:
    """Simulate the ordinary run and the special ones; returns their names."""
    from rich.console import Console
    from rich.progress import Progress

    from station_sim.profiles import load_profile
    from station_sim.validation.special_targets import SPECIAL_RUNS
    from station_sim.validation.targets import ORDINARY

    profile = replace(load_profile(name), seed=seed)
    if stations is not None:
        profile = replace(profile, stations=stations)
    with Progress(console=Console(stderr=True)) as progress:
        _save(ORDINARY, profile, days, folder / ORDINARY, progress, None)
        if only_ordinary:
            return [ORDINARY]
        for special in SPECIAL_RUNS:
            changed = _special_profile(special, profile)
            _save(special.name, changed, special.days, folder / special.name, progress, special)
    return [ORDINARY, *(special.name for special in SPECIAL_RUNS)]


def _special_profile(special: "SpecialRun", ordinary: Any) -> Any:
    """The ordinary profile, or another one with the same seed, with the run's changes."""
    from station_sim.profiles import load_profile

    profile = ordinary
    if special.profile is not None:
        profile = replace(load_profile(special.profile), seed=ordinary.seed)
    if special.stations is not None:
        profile = replace(profile, stations=min(special.stations, ordinary.stations))
    if special.start is not None:
        start = datetime.fromisoformat(special.start).replace(tzinfo=profile.start.tzinfo)
        profile = replace(profile, start=start)
    return replace(profile, **special.changes)


def _save(
    name: str,
    profile: Any,
    days: float,
    folder: Path,
    progress: "Progress",
    special: "SpecialRun | None",
) -> None:
    from station_sim.outputs.run_folder import save_run
    from station_sim.world.charging_network import Network

    text = name if special is None else f"{name} ({special.why})"
    task = progress.add_task(text, total=1.0)
    network = Network(profile)
    told = () if special else tuple(site.station_id for site in network.sites[:TOLD_STATIONS])
    save_run(
        network,
        0.0,
        days * SECONDS_PER_DAY,
        folder,
        progress=lambda done: progress.update(task, completed=done),
        records_of=told,
        tables=special.tables if special else None,
    )
    progress.update(task, completed=1.0)
