"""Colours and the common look of the charts.

Colours are Okabe and Ito's, which the colour-blind tell apart.
"""

from typing import Any

Figure = dict[str, Any]
"""What plotly.js is given: `data` and `layout`; plus `height_px`."""

ORANGE, SKY, GREEN, YELLOW = "#e69f00", "#56b4e9", "#009e73", "#f0e442"
BLUE, RED, PURPLE, BLACK = "#0072b2", "#d55e00", "#cc79a7", "#1f2430"
GRID = "#e4e7ec"

SITE_COLOURS = {"urban": BLUE, "corridor": RED, "hub": GREEN, "depot": PURPLE}

PERIOD_COLOURS = {
    "00": ("sharp", RED),
    "01": ("peak", ORANGE),
    "02": ("flat", SKY),
    "03": ("valley", GREEN),
    "04": ("deep valley", BLUE),
}


def axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis with a title and quiet lines."""
    return {
        "title": {"text": title, "standoff": 8},
        "gridcolor": GRID,
        "zerolinecolor": "#aab2bd",
        "ticks": "outside",
        "ticklen": 5,
        "tickcolor": "rgba(0,0,0,0)",
        "tickangle": 0,
        **more,
    }


def figure(data: list[dict[str, Any]], height_px: int = 420, **layout: Any) -> Figure:
    """A chart with the common look: legend above, values on hovering."""
    common = {
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": BLACK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 58, "r": 16, "t": 12, "b": 52},
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"size": 12},
            "itemwidth": 30,
            "traceorder": "normal",
        },
        "hoverlabel": {"namelength": -1},
    }
    return {"data": data, "layout": common | layout, "height_px": height_px}
