"""When which part of which station was out of order."""

import math
from datetime import timedelta

from station_sim.pictures.palette import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    Figure,
    axis,
    figure,
)
from station_sim.validation.saved_run import SavedRun

STATIONS_MAX = 25
"""The stations with most time out of order; more would not be readable."""

DAY_MS = 86_400_000

PART_COLOURS = {
    "gun": BLUE,
    "dc": SKY,
    "ac": GREEN,
    "host": RED,
    "terminal": PURPLE,
    "storage": ORANGE,
    "meter": BLACK,
}


def fault_timeline(run: SavedRun) -> Figure | None:
    """A bar for each fault, a row for each station; None where nothing broke."""
    faults = run.table("faults")
    if faults.empty:
        return None
    faults = faults.assign(end_s=faults["end_s"].clip(upper=run.end_s))
    faults = faults.assign(lasts_s=faults["end_s"] - faults["begin_s"])
    worst = faults.groupby("station_id")["lasts_s"].sum().nlargest(STATIONS_MAX).index
    faults = faults[faults["station_id"].isin(worst)]
    start = run.start.replace(tzinfo=None)
    data: list[dict[str, object]] = []
    for part, own in faults.groupby("part"):
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": part,
                "y": own["station_id"].tolist(),
                "base": [
                    (start + timedelta(seconds=float(each))).isoformat(" ")[:19]
                    for each in own["begin_s"]
                ],
                "x": (own["lasts_s"] * 1000).round().tolist(),
                "marker": {"color": PART_COLOURS.get(str(part), BLACK), "opacity": 0.7},
                "customdata": [
                    [place, code, level, round(lasts / 3600, 1)]
                    for place, code, level, lasts in zip(
                        own["place"], own["code"], own["level"], own["lasts_s"], strict=True
                    )
                ],
                "hovertemplate": (
                    "%{y}: " + str(part) + " %{customdata[0]}, code %{customdata[1]}, "
                    "level %{customdata[2]}, %{customdata[3]} h"
                ),
            }
        )
    end = start + timedelta(seconds=run.end_s)
    return figure(
        data,
        height_px=140 + 22 * len(worst),
        barmode="overlay",
        bargap=0.35,
        margin={"l": 170, "r": 16, "t": 12, "b": 52},
        xaxis=axis(
            "local date",
            type="date",
            tickformat="%d %b",
            dtick=math.ceil(run.days / 6) * DAY_MS,
            range=[start.isoformat(" "), end.isoformat(" ")],
        ),
        yaxis=axis(
            "",
            type="category",
            categoryorder="array",
            categoryarray=list(reversed([str(each) for each in worst])),
            dtick=1,
        ),
    )
