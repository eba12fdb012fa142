"""A network's records, from a profile to an output: what `station-lab simulate` does.

Options are `simulate_command`'s.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from station_sim.errors import LabError
from station_sim.outputs.kafka import KafkaOutput
from station_sim.outputs.output import Address, open_files
from station_sim.outputs.run_facts import run_facts, write_facts
from station_sim.outputs.sending import Sent, send_to_files, send_to_kafka
from station_sim.outputs.telling_progress import ProgressBar
from station_sim.streams.imperfections import Imperfections
from station_sim.streams.packing import RECORD_BYTES_MAX
from station_sim.streams.telling import Telling
from station_sim.streams.topics.registry import TOPICS, require_topics
from station_sim.world.charging_network import Network
from station_sim.world.profile import STATION_TIMEZONE, Profile

MS_PER_DAY = 86_400_000
LEDGER_FOLDER = "ledger"


@dataclass(frozen=True)
class Simulation:
    """What to tell, of whom, for how long; `stations` are ids, indices or their beginnings."""

    profile: Profile
    days: float
    topics: Collection[str] = TOPICS
    stations: Sequence[str] = ()
    is_perfect: bool = False
    pace: float | None = None

    def telling(self, limit_bytes: int = RECORD_BYTES_MAX) -> Telling:
        """The records, to be drawn from. Raises `LabError` for a station that is not there."""
        network = Network(self.profile)
        stories = [network.story(index) for index in chosen(network, self.stations)]
        layer = (
            Imperfections.none()
            if self.is_perfect
            else Imperfections.of(getattr(self.profile, "imperfections", {}))
        )
        return Telling(
            stories, self.profile, topics=self.topics, layer=layer, limit_bytes=limit_bytes
        )

    @property
    def end_ms(self) -> int:
        """Where the story ends."""
        return round(self.days * MS_PER_DAY)

    def run(self, address: Address, **kafka_options: Any) -> Sent:
        """Send everything to an address; raises `LabError` where that cannot be."""
        require_topics(self.topics)
        with ProgressBar("simulating", self.end_ms) as progress:
            if address.bootstrap is not None:
                return asyncio.run(self._to_kafka(address.bootstrap, progress, kafka_options))
            return self._to_files(address, progress)

    def _to_files(self, address: Address, progress: ProgressBar) -> Sent:
        telling = self.telling()
        output = open_files(address, self.topics)
        ledger = _Ledger(address.folder, telling) if address.folder is not None else None
        sent = send_to_files(telling.records(self.end_ms), output, self.pace, progress)
        if ledger is not None:
            ledger.close()
        if address.folder is not None:
            facts = run_facts(self.profile, self.days * 86_400, telling.layer)
            facts["interrupted"], facts["reached_ms"] = sent.interrupted, sent.reached_ms
            write_facts(address.folder, facts)
        return sent

    async def _to_kafka(
        self, bootstrap: str, progress: ProgressBar, options: dict[str, Any]
    ) -> Sent:
        async with KafkaOutput(bootstrap, self.topics, **options) as output:
            telling = self.telling(min(RECORD_BYTES_MAX, output.record_bytes_max - 1024))
            return await send_to_kafka(telling.records(self.end_ms), output, self.pace, progress)


class _Ledger:
    """The ledger beside a folder of records: Parquet, which is imported for folders only."""

    def __init__(self, folder: Path, telling: Telling) -> None:
        from station_sim.outputs.ledger_folder import LedgerWriter, ledger_files

        self._files = ledger_files(folder / LEDGER_FOLDER)
        self._writer = LedgerWriter(self._files)
        self._telling = telling
        telling.observers.append(self._writer.add)

    def close(self) -> None:
        self._writer.finish(self._telling)
        for file in self._files.values():
            file.close()


def chosen(network: Network, stations: Sequence[str]) -> list[int]:
    """Indices of the stations named by id or by number from 0; all where none is named."""
    if not stations:
        return list(range(len(network)))
    known = {site.station_id: site.index for site in network.sites}
    found = set()
    for name in stations:
        if name in known:
            found.add(known[name])
        elif name.isdigit() and int(name) < len(network):
            found.add(int(name))
        else:
            raise LabError(
                f"there is no station {name}; say an id, or a number from 0 to {len(network) - 1}"
            )
    return sorted(found)


def changed(profile: Profile, seed: int | None, start: datetime | None) -> Profile:
    """The profile with what the command line says otherwise; a start without a zone is local."""
    if seed is not None:
        profile = replace(profile, seed=seed)
    if start is not None:
        zone = start.tzinfo or STATION_TIMEZONE
        profile = replace(profile, start=start.replace(tzinfo=zone))
    return profile
