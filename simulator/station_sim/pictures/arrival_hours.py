"""When sessions begin, hour by hour, against the shares that they should have."""

from station_sim.pictures.palette import BLACK, SITE_COLOURS, Figure, axis, figure
from station_sim.validation.demand_targets import sessions_of
from station_sim.validation.saved_run import SavedRun

URBAN = (
    *(4.9, 3.0, 2.1, 1.9, 2.7, 5.0, 5.2, 3.8, 3.0, 2.9, 3.3, 4.4),
    *(6.2, 6.4, 6.0, 5.3, 4.4, 3.7, 3.4, 3.3, 3.6, 4.1, 5.0, 6.4),
)
"""Percent of a day's sessions: an estimate, shaped to the peaks of the white paper of 2022."""

CORRIDOR = (
    *(0.5, 0.7, 0.2, 0.2, 0.1, 0.9, 1.9, 2.1, 3.8, 5.6, 4.9, 7.3),
    *(7.4, 6.4, 6.2, 7.7, 7.2, 8.1, 8.9, 6.5, 4.4, 5.1, 2.5, 1.4),
)
"""Percent of a weekday's sessions, computed from EPFL's session table."""

WANTED = {"urban": URBAN, "corridor": CORRIDOR}


def arrival_hours(run: SavedRun, site_type: str) -> Figure | None:
    """Bars of measured shares and the line of wanted ones; None without such sessions."""
    stations = run.table("stations")
    sessions = sessions_of(run, stations[stations["site_type"] == site_type])
    if sessions.empty:
        return None
    hours = run.hours_of_day(sessions["plugged_s"])
    shares = 100 * hours.value_counts(normalize=True).reindex(range(24), fill_value=0.0)
    data = [
        {
            "type": "bar",
            "name": "measured",
            "x": list(range(24)),
            "y": shares.round(2).tolist(),
            "marker": {"color": SITE_COLOURS[site_type], "opacity": 0.75},
            "hovertemplate": "%{y:.1f} %",
        },
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "wanted",
            "x": list(range(24)),
            "y": list(WANTED[site_type]),
            "line": {"color": BLACK, "width": 2, "dash": "dot"},
            "marker": {"size": 5},
            "hovertemplate": "%{y:.1f} %",
        },
    ]
    return figure(
        data,
        height_px=340,
        hovermode="x unified",
        bargap=0.15,
        xaxis=axis("hour of the day, local time", dtick=3, range=[-0.6, 23.6]),
        yaxis=axis("share of sessions, %", rangemode="tozero"),
    )
