"""Energy of charges against how long they took, by site type."""

from station_sim.pictures.palette import SITE_COLOURS, Figure, axis, figure
from station_sim.validation.saved_run import SavedRun
from station_sim.validation.session_targets import charges

POINTS_MAX = 1500
"""Per site type: more would hide each other, and slow a browser down."""

MEAN_ENERGY_KWH, MEAN_DURATION_MIN = 25.6, 48.7
"""Means of DC charges in China (white paper on user charging behaviour 2022)."""


def session_scatter(run: SavedRun) -> Figure:
    """A point for each charge, or for every n-th of many."""
    done = charges(run)
    kinds = run.table("stations").set_index("station_id")["site_type"]
    kind_of = done["station_id"].map(kinds)
    data: list[dict[str, object]] = []
    for kind, colour in SITE_COLOURS.items():
        own = done[kind_of == kind]
        if own.empty:
            continue
        every = -(-len(own) // POINTS_MAX)
        shown = own.iloc[::every]
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": kind,
                "x": shown["duration_min"].round(1).tolist(),
                "y": shown["energy_kwh"].round(2).tolist(),
                "marker": {"color": colour, "size": 5, "opacity": 0.45},
                "hovertemplate": "%{y:.1f} kWh in %{x:.0f} min",
            }
        )
    data.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": "mean wanted (25.6 kWh, 48.7 min)",
            "x": [MEAN_DURATION_MIN],
            "y": [MEAN_ENERGY_KWH],
            "marker": {"symbol": "x", "size": 13, "color": "#000000", "line": {"width": 1}},
            "hovertemplate": "wanted mean: %{y} kWh in %{x} min",
        }
    )
    longest = float(done["duration_min"].quantile(0.995))
    most = float(done["energy_kwh"].quantile(0.998))
    return figure(
        data,
        xaxis=axis("time with power, minutes", range=[0, longest]),
        yaxis=axis("energy, kWh", range=[0, most]),
    )
