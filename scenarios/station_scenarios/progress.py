"""The progress bar: story time on standard error, on a terminal only.

It is redrawn when the story moves on, without a thread of its own: in virtual time there are none.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

Told = Callable[[float, float], None]
"""Called with the story seconds that have passed and those of the whole story."""


@contextmanager
def progress_bar(title: str, *, wanted: bool) -> Iterator[Told]:
    """A bar for one run; silent if not wanted or where standard error is no terminal."""
    if not wanted or not sys.stderr.isatty():
        yield _silently
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} % of {task.fields[hours]} h"),
        console=Console(stderr=True),
        auto_refresh=False,
        transient=True,
        # rich's own clock would be the virtual one while the world runs.
        get_time=lambda: 0.0,
    )
    task = bar.add_task(title, total=1.0, hours="-")

    def told(now_s: float, duration_s: float) -> None:
        bar.update(task, completed=now_s / duration_s, hours=f"{duration_s / 3600:g}")
        bar.refresh()

    with bar:
        yield told


def _silently(now_s: float, duration_s: float) -> None:
    """Nobody watches."""
