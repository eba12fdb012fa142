"""What a load run shall do: how many stations, how fast, how long.

Only the numbers live here, and their way to the sending process; when which record is due is in
`schedule.py`, what a run must reach in `thresholds.py`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from station_sim.errors import LabError

INPUT_TOPIC = "REAL-STATION-DATA"
MODULE = "load_prediction"
OUTPUT_TOPIC = f"MODULE-OUTPUT-{MODULE.upper()}"


@dataclass(frozen=True)
class LoadPlan:
    """One run.

    `rate_per_s` counts records of all stations together; `users` gateways share the stations, each
    with a Kafka producer of its own. `drain_s` is how long after the last send results may still
    come before their records count as lost.
    """

    stations: int
    rate_per_s: float
    users: int
    duration_s: float
    seed: int = 0
    partitions: int = 8
    drain_s: float = 30.0

    def __post_init__(self) -> None:
        if self.users > self.stations:
            raise LabError(
                f"{self.users} users cannot share {self.stations} stations;"
                " choose --users at most --stations"
            )

    @property
    def period_s(self) -> float:
        """Seconds between two records of one station."""
        return self.stations / self.rate_per_s

    def station_ids(self, user: int) -> list[str]:
        """The stations whose records user number `user` (from 0) sends."""
        return [f"CN{number:08d}" for number in range(1, self.stations + 1)][user :: self.users]

    def as_json(self) -> dict[str, Any]:
        """The plan as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "LoadPlan":
        """The plan that `as_json` gave."""
        return cls(**fields)
