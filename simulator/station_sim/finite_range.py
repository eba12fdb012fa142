"""A number on the command line that is neither `nan` nor infinite, within a range.

click's own range takes `nan`, which is in every range, and `inf`, of which no run comes to an end.
"""

from typing import Any

import click


class FiniteRange(click.FloatRange):
    """As `click.FloatRange`, for finite numbers only."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; anything else is a usage error."""
        number = super().convert(value, param, ctx)
        if not float("-inf") < number < float("inf"):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number
