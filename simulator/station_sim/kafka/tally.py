"""How much a broker has served since its process began: connections and records.

How many requests of each kind there were is counted in `request_log.py`.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """Connections that were opened, records that were written."""

    connections: int = 0
    records: int = 0

    def told(self, requests: int) -> str:
        """All of it, for people."""
        counts = (
            (self.connections, "connection"),
            (requests, "request"),
            (self.records, "record"),
        )
        parts = [f"{count:,} {noun}{'' if count == 1 else 's'}" for count, noun in counts]
        return f"served {', '.join(parts[:-1])}, wrote {parts[-1]}"
