"""What is counted. Counters only go up; `health()` and metrics read them."""

from dataclasses import dataclass, field, fields
from typing import Any

from data_analysis.stores import Outcome


@dataclass(slots=True)
class Counters:
    """Counts since the start of one service."""

    records_received: int = 0
    records_finished: int = 0
    records_read_again: int = 0
    records_refused: dict[str, int] = field(default_factory=dict)
    points_appended: int = 0
    points_inserted: int = 0
    points_too_late: int = 0
    points_duplicate: int = 0
    records_of_removed_stations: int = 0
    callbacks_run: int = 0
    callback_errors: int = 0
    handler_errors: int = 0
    results_uploaded: int = 0
    results_unserialisable: int = 0
    results_lost: int = 0
    uploads_retried: int = 0
    dead_letters: int = 0
    works_dropped: int = 0
    batches_opened: int = 0
    batches_completed: int = 0
    batches_timed_out: int = 0
    batches_dropped: int = 0
    batch_handler_errors: int = 0
    batch_results_late: int = 0
    commits: int = 0
    commit_errors: int = 0
    poll_errors: int = 0
    gaps: int = 0

    def count(self, outcome: Outcome, times: int = 1) -> None:
        """Count what became of points."""
        if outcome is Outcome.APPENDED:
            self.points_appended += times
        elif outcome is Outcome.INSERTED:
            self.points_inserted += times
        elif outcome is Outcome.TOO_LATE:
            self.points_too_late += times
        else:
            self.points_duplicate += times

    def refuse(self, reason: str) -> None:
        """Count one refused record or item."""
        self.records_refused[reason] = self.records_refused.get(reason, 0) + 1

    def shown(self) -> dict[str, Any]:
        """Return the counts as a new dict."""
        shown = {each.name: getattr(self, each.name) for each in fields(self)}
        shown["records_refused"] = dict(sorted(self.records_refused.items()))
        return shown
