"""What a kilowatt-hour costs over a day, in the bands of the tariff's periods."""

from collections import Counter
from itertools import groupby

import pandas as pd

from station_sim.pictures.palette import BLACK, BLUE, PERIOD_COLOURS, Figure, axis, figure
from station_sim.validation.saved_run import SavedRun

HALF_HOURS = 48
NAMES = {"00": "sharp", "01": "peak", "02": "flat", "03": "valley", "04": "other"}


def price_bands(run: SavedRun) -> Figure:
    """Median price with its span over the stations, and its energy part, by half hours."""
    tariffs = run.table("tariffs").sort_values("begin_s").groupby("station_id").first()
    codes = [[str(code) for code in row] for row in tariffs["codes"]]
    whole = pd.DataFrame(
        [
            [_price(row, code, "energy", "service") for code in own]
            for (_, row), own in zip(tariffs.iterrows(), codes, strict=True)
        ]
    )
    energy = pd.DataFrame(
        [
            [_price(row, code, "energy") for code in own]
            for (_, row), own in zip(tariffs.iterrows(), codes, strict=True)
        ]
    )
    usual = [Counter(column).most_common(1)[0][0] for column in zip(*codes, strict=True)]
    hours = [place / 2 for place in range(HALF_HOURS + 1)]
    data = [
        _step(hours, whole.max(), "", "rgba(0,114,178,0)", None),
        _step(hours, whole.min(), "cheapest to dearest station", "rgba(0,114,178,0)", "tonexty"),
        _step(hours, energy.median(), "energy alone, median", BLACK, None),
        _step(hours, whole.median(), "with service fee, median", BLUE, None),
        *_legend_of_periods(usual),
    ]
    data[0]["showlegend"] = False
    data[0]["hoverinfo"] = "skip"
    return figure(
        data,
        height_px=380,
        hovermode="x unified",
        shapes=_bands(usual),
        xaxis=axis("hour of the day, local time", range=[0, 24], dtick=3),
        yaxis=axis("price, CNY/kWh", rangemode="tozero"),
    )


def _price(row: "pd.Series[float]", code: str, *parts: str) -> float:
    return float(sum(row.get(f"{part}_{NAMES[code]}", 0.0) for part in parts))


def _step(
    hours: list[float], prices: "pd.Series[float]", name: str, colour: str, fill: str | None
) -> dict[str, object]:
    values = prices.round(4).tolist()
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": hours,
        "y": [*values, values[-1]],
        "line": {"shape": "hv", "width": 2, "color": colour},
        "fill": fill,
        "fillcolor": "rgba(0,114,178,0.18)",
        "hovertemplate": "%{y:.3f} CNY/kWh",
    }


def _bands(codes: list[str]) -> list[dict[str, object]]:
    """A coloured background for each run of half hours with one code."""
    shapes: list[dict[str, object]] = []
    begin = 0
    for code, run in groupby(codes):
        end = begin + len(list(run))
        shapes.append(
            {
                "type": "rect",
                "layer": "below",
                "xref": "x",
                "yref": "paper",
                "x0": begin / 2,
                "x1": end / 2,
                "y0": 0,
                "y1": 1,
                "line": {"width": 0},
                "fillcolor": PERIOD_COLOURS[code][1],
                "opacity": 0.13,
            }
        )
        begin = end
    return shapes


def _legend_of_periods(codes: list[str]) -> list[dict[str, object]]:
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": PERIOD_COLOURS[code][0],
            "x": [None],
            "y": [None],
            "marker": {
                "symbol": "square",
                "size": 13,
                "opacity": 0.4,
                "color": PERIOD_COLOURS[code][1],
            },
        }
        for code in sorted(set(codes))
    ]
