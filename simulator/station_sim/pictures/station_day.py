"""A day of one station: what its guns take, and where that comes from."""

from datetime import timedelta

import pandas as pd

from station_sim.pictures.palette import BLACK, GREEN, ORANGE, RED, Figure, axis, figure
from station_sim.validation.saved_run import SECONDS_PER_DAY, SavedRun

SHADES = ("#9ecae1", "#c6dbef", "#6baed6", "#deebf7", "#4292c6", "#b3cde3")
"""Neighbouring guns differ, while all of them are blue."""

GUNS_MAX = 16
"""More guns than that are drawn by host."""


def shown_station(run: SavedRun) -> str:
    """The station with most to see: PV and storage, and four to twelve guns, if there is one."""
    stations = run.table("stations")
    if run.has("gun_power"):
        sampled = run.table("gun_power")["station_id"].unique()
        stations = stations[stations["station_id"].isin(sampled)]
    stored = run.table("storage")["station_id"].unique() if run.has("storage") else []
    score = (
        2 * (stations["pv_kwp"] > 0).astype(int)
        + 2 * stations["station_id"].isin(stored).astype(int)
        + stations["guns"].between(4, 12).astype(int)
    )
    return str(stations.loc[score.idxmax(), "station_id"])


def shown_day(run: SavedRun) -> int:
    """The third day, when nothing of the empty start is left; the last one of a shorter run."""
    return max(min(int(run.days) - 1, 2), 0)


def station_day(run: SavedRun, station_id: str, day: int) -> Figure:
    """Stacked power of guns with the lines of meter, PV, storage and grid limit."""
    power = _of_day(run.table("power"), station_id, day)
    times = _times(run, power["time_s"])
    lines = [
        ("grid meter", "meter_kw", BLACK),
        ("PV", "pv_kw", ORANGE),
        ("storage (+ discharges)", "storage_kw", GREEN),
    ]
    data = _stack(run, station_id, day)
    for name, column, colour in lines:
        if column == "meter_kw" or power[column].abs().max() > 0:
            data.append(_line(times, power[column].round(2).tolist(), name, colour))
    stations = run.table("stations").set_index("station_id")
    limit = float(stations.loc[station_id, "grid_limit_kw"])
    if limit > 0 and times:
        data.append(_line([times[0], times[-1]], [limit, limit], "grid limit", RED, "dash"))
    return figure(
        data,
        height_px=480,
        hovermode="x unified",
        xaxis=axis("local time", type="date", tickformat="%H:%M"),
        yaxis=axis("power, kW"),
    )


def _stack(run: SavedRun, station_id: str, day: int) -> list[dict[str, object]]:
    if not run.has("gun_power"):
        return []
    guns = run.table("guns")
    guns = guns[guns["station_id"] == station_id]
    power = _of_day(run.table("gun_power"), station_id, day)
    by_host = len(guns) > GUNS_MAX
    power = power.merge(guns[["gun", "gun_no", "host"]], on="gun")
    device = "host" if by_host else "gun"
    data: list[dict[str, object]] = []
    for place, (number, own) in enumerate(power.groupby(device)):
        series = own.groupby("time_s")["kw"].sum()
        label = f"host {int(str(number)) + 1}" if by_host else f"gun {number}"
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "stackgroup": "guns",
                "name": f"{device}s, stacked",
                "legendgroup": "stack",
                "showlegend": place == 0,
                "x": _times(run, series.index.to_series()),
                "y": series.round(2).tolist(),
                "line": {"width": 0.5, "color": "#2171b5", "shape": "hv"},
                "fillcolor": SHADES[place % len(SHADES)],
                "hovertemplate": f"{label}: %{{y:.1f}} kW<extra></extra>",
            }
        )
    return data


def _of_day(frame: pd.DataFrame, station_id: str, day: int) -> pd.DataFrame:
    begin_s = day * SECONDS_PER_DAY
    inside = frame["time_s"].between(begin_s, begin_s + SECONDS_PER_DAY, inclusive="left")
    return frame[(frame["station_id"] == station_id) & inside].sort_values("time_s")


def _times(run: SavedRun, times_s: "pd.Series[float]") -> list[str]:
    start = run.start.replace(tzinfo=None)
    return [(start + timedelta(seconds=float(each))).isoformat(" ") for each in times_s]


def _line(
    times: list[str], values: list[float], name: str, colour: str, dash: str = "solid"
) -> dict[str, object]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": times,
        "y": values,
        "line": {"width": 2, "color": colour, "dash": dash, "shape": "hv"},
        "hovertemplate": "%{y:.1f} kW",
    }
