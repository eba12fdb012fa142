"""How far a run is, for a person at a terminal: one line on standard error, or nothing."""

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class RunProgress:
    """A bar over the sending time with counts beside it; silent unless stderr is a terminal."""

    def __init__(self, duration_s: float) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("sent {task.fields[sent]:,}  processed {task.fields[processed]:,}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID = self._bar.add_task("starting", total=duration_s, sent=0, processed=0)

    def __enter__(self) -> "RunProgress":
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def says(self, what: str) -> None:
        """Name the stage of the run."""
        self._bar.update(self._task, description=what)

    def shows(self, *, elapsed_s: float, sent: int, processed: int) -> None:
        """Seconds since sending began, and records so far."""
        self._bar.update(self._task, completed=elapsed_s, sent=sent, processed=processed)
