"""The report: one HTML file with charts and the table of targets, for people who would rather look.

Everything is inside the file, plotly.js included: it asks no network. What the charts show is in
the files beside this one, what the page looks like in `report.html.j2`.
"""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import orjson
from jinja2 import Environment, StrictUndefined
from plotly.offline import get_plotlyjs

from station_sim.errors import LabError
from station_sim.pictures.arrival_hours import WANTED, arrival_hours
from station_sim.pictures.fault_timeline import STATIONS_MAX, fault_timeline
from station_sim.pictures.palette import Figure
from station_sim.pictures.price_bands import price_bands
from station_sim.pictures.session_scatter import session_scatter
from station_sim.pictures.station_day import shown_day, shown_station, station_day
from station_sim.pictures.target_rows import InvariantRow, TargetRow, invariant_rows, target_rows
from station_sim.validation.catalogue import SOURCES
from station_sim.validation.judgement import Judgement, judge_run
from station_sim.validation.results_table import summary
from station_sim.validation.saved_run import SavedRun
from station_sim.validation.targets import CannotTellError


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its heading and what to look at; `figure` None leaves a line in its place."""

    id: str
    title: str
    text: str
    figure: Figure | None

    @property
    def json(self) -> str:
        """The figure as plotly.js takes it, safe inside a script element."""
        return orjson.dumps(self.figure).decode().replace("</", "<\\/")


def write_report(folder: Path, out: Path, *, judgement: Judgement | None = None) -> None:
    """Write the report of the saved run in `folder` to the file `out`.

    Without a judgement the run is judged here, and targets that need special runs stay open.
    Raises `LabError` when the folder is not a run, or the file cannot be written.
    """
    run = SavedRun(folder)
    page = render(run, judgement or judge_run(run))
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise LabError(f"cannot write the report to {out}: {error.strerror}") from error


def render(run: SavedRun, judgement: Judgement) -> str:
    """The page as text."""
    text = resources.files(__package__).joinpath("report.html.j2").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    targets: list[TargetRow] = target_rows(judgement)
    invariants: list[InvariantRow] = invariant_rows(judgement)
    return environment.from_string(text).render(
        run=run,
        facts=headline(run),
        charts=charts(run),
        targets=targets,
        invariants=invariants,
        summary=summary(judgement),
        sources=SOURCES,
        plotly=get_plotlyjs(),
    )


def headline(run: SavedRun) -> list[tuple[str, str]]:
    """Figures to begin with: what, and how much."""
    stations, sessions = run.table("stations"), run.table("sessions")
    energy_kwh = float(sessions["energy_kwh"].sum())
    sold = sessions[sessions["energy_kwh"] > 0]
    mean = float(sold["energy_kwh"].mean()) if len(sold) else 0.0
    return [
        ("stations", f"{len(stations):,}"),
        ("guns", f"{int(stations['guns'].sum()):,}"),
        ("days", f"{run.days:g}"),
        ("charges", f"{len(sold):,}"),
        ("energy", f"{energy_kwh / 1000:,.1f} MWh"),
        ("per charge", f"{mean:.1f} kWh"),
        ("PV", f"{stations['pv_kwp'].sum():,.0f} kWp"),
    ]


def charts(run: SavedRun) -> list[Chart]:
    """All charts, in the order of the page."""
    station_id, day = shown_station(run), shown_day(run)
    date = run.local(day * 86_400.0)[:10]
    made = [
        Chart(
            "station-day",
            "A day of one station",
            f"Station {station_id} on {date}. The guns' power is stacked; it comes through the "
            "meter, from PV and from storage. Grid limit: what the transformer may always give.",
            station_day(run, station_id, day),
        ),
        Chart(
            "sessions",
            "Energy and duration of charges",
            "A point for each charge (every n-th of many). Straight edges are limits of guns.",
            _or_none(run),
        ),
    ]
    made += [
        Chart(
            f"arrivals-{kind}",
            f"When {kind} sessions begin",
            "Share of a day's sessions in each hour, against the share that the figures want.",
            arrival_hours(run, kind),
        )
        for kind in WANTED
    ]
    return [
        *made,
        Chart(
            "prices",
            "Price bands",
            "What a kilowatt-hour costs over a day of the first month; behind it, the periods.",
            price_bands(run),
        ),
        Chart(
            "faults",
            "Faults",
            f"The {STATIONS_MAX} stations with most time out of order; a bar lasts until repair.",
            fault_timeline(run),
        ),
    ]


def _or_none(run: SavedRun) -> Figure | None:
    try:
        return session_scatter(run)
    except CannotTellError:
        return None
