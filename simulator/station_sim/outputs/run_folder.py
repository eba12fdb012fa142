"""A run in a folder: what was true, what the wire did to it, and a few stations' records.

Stations are told one after the other, on all processors; files hold them in the order of their
index, whatever the number of processors. Nothing is serialised but the records that are asked for.
"""

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from station_sim.outputs.ledger_folder import (
    LedgerWriter,
    ledger_files,
    ledger_rows,
)
from station_sim.outputs.pacing import portions
from station_sim.outputs.parquet import ParquetFolder
from station_sim.outputs.run_facts import run_facts, write_facts
from station_sim.outputs.run_schemas import TABLES
from station_sim.outputs.station_tables import StationTables
from station_sim.outputs.tables import Table
from station_sim.streams.imperfections import Imperfections
from station_sim.streams.telling import Telling
from station_sim.streams.topics.registry import STATION_TOPICS
from station_sim.world.charging_network import Network
from station_sim.world.profile import Profile

DETAILED_STATIONS = 20
"""Of how many stations the tables of single guns and steps are kept."""

CHUNK_S = 21_600.0
LEDGER = "ledger"
RECORDS_DAYS = 1.0
Progress = Callable[[float], None]


@dataclass(frozen=True)
class _Task:
    """What a process is asked for: one station."""

    profile: Profile
    index: int
    end_s: float
    wanted: frozenset[str]
    layer: Imperfections


def save_run(
    network: Network,
    begin_s: float,
    end_s: float,
    folder: Path,
    *,
    progress: Progress | None = None,
    records_of: Sequence[str] = (),
    tables: Collection[str] | None = None,
    processes: int | None = None,
) -> None:
    """Tell a network's stories until `end_s`, and keep tables and ledger in `folder`.

    `begin_s` must be 0: stories begin there. Of the stations in `records_of` the first day's
    records are kept too. `tables` chooses among `run_schemas.TABLES` and "ledger". `progress` is
    told the share that is done.
    """
    assert begin_s == 0.0, "a story is told from its beginning"
    profile = network.profile
    folder.mkdir(parents=True, exist_ok=True)
    wanted = frozenset(tables) if tables is not None else frozenset((*TABLES, LEDGER))
    layer = Imperfections.of(profile.imperfections)
    tasks = [_Task(profile, index, end_s, wanted, layer) for index in range(len(network))]
    files = {
        name: Table(folder / f"{name}.parquet", schema)
        for name, schema in TABLES.items()
        if name in wanted
    }
    if LEDGER in wanted:
        for name, file in ledger_files(folder / LEDGER).items():
            files[f"{LEDGER}/{name}"] = file
    for done, told in enumerate(_all_told(tasks, processes), start=1):
        for name, rows in told.items():
            files[name].append(rows)
            files[name].end_group()
        if progress is not None:
            progress(done / len(tasks))
    for file in files.values():
        file.close()
    if records_of:
        _save_records(network, records_of, min(end_s, RECORDS_DAYS * 86_400), folder, layer)
    facts = run_facts(profile, end_s, layer)
    facts["records_of"] = list(records_of)
    facts["sampled"] = [each.station_id for each in network.sites[:DETAILED_STATIONS]]
    write_facts(folder, facts)


def _all_told(tasks: list[_Task], processes: int | None) -> Iterator[dict[str, pa.Table]]:
    count = min(processes or os.cpu_count() or 1, len(tasks))
    if count <= 1:
        yield from map(_tell, tasks)
        return
    with ProcessPoolExecutor(count) as pool:
        yield from pool.map(_tell, tasks)


def _tell(task: _Task) -> dict[str, pa.Table]:
    """One station from beginning to end; runs in a process of its own."""
    story = Network(task.profile).story(task.index)
    detailed = task.index < DETAILED_STATIONS
    truth = StationTables(story, task.profile, detailed=detailed, wanted=task.wanted)
    topics = [each.TOPIC for each in STATION_TOPICS] if LEDGER in task.wanted else []
    telling = Telling([story], task.profile, topics=topics, layer=task.layer)
    ledger = ledger_rows()
    writer = LedgerWriter(ledger)
    begin_s = 0.0
    while begin_s < task.end_s:
        next_s = min(begin_s + CHUNK_S, task.end_s)
        story.advance(next_s)
        truth.add(begin_s, next_s)  # before `told` lets the story forget
        for told in telling.told(round(next_s * 1000), written=False):
            writer.add(told)
        begin_s = next_s
    truth.finish(task.end_s)
    found = {name: rows.take() for name, rows in truth.rows.items()}
    if LEDGER in task.wanted:
        writer.finish(telling)
        found.update({f"{LEDGER}/{name}": rows.take() for name, rows in ledger.items()})
    return found


def _save_records(
    network: Network, stations: Sequence[str], end_s: float, folder: Path, layer: Imperfections
) -> None:
    chosen = [site.index for site in network.sites if site.station_id in stations]
    stories = [network.story(index) for index in chosen]
    output = ParquetFolder(folder / "records")
    telling = Telling(stories, network.profile, layer=layer)
    try:
        for _, portion in portions(telling.records(round(end_s * 1000)), None):
            output.write(portion)
    finally:
        output.close()
