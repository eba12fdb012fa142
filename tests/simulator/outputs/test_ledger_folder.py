"""The ledger of a run: each record that went out, and each that did not, stands in it once."""

from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.simulator.streams.fake_story import fake_profile, fake_stories

from station_sim.outputs.ledger_folder import LedgerFolder, LedgerWriter, ledger_files
from station_sim.streams.imperfections import Imperfections
from station_sim.streams.record import Record
from station_sim.streams.telling import Telling

TOPICS = ("REAL-STATION-DATA", "SCHEDULE-CAR-ORDER", "SCHEDULE-DEVICE-HOST-ACDC")
ROUGH = Imperfections(outage_every_days=0.05).times(4.0)
UNTIL_MS = 3_000_000


def telling(chunk_ms: int) -> Telling:
    stories = fake_stories(2, hosts=2, guns_per_host=1)
    return Telling(stories, fake_profile(), topics=TOPICS, layer=ROUGH, chunk_ms=chunk_ms)


def write(folder: Path, chunk_ms: int, *, written: bool = False) -> None:
    files, source = ledger_files(folder), telling(chunk_ms)
    writer = LedgerWriter(files)
    while source.now_ms < UNTIL_MS:
        for told in source.told(min(source.now_ms + chunk_ms, UNTIL_MS), written=written):
            writer.add(told)
    writer.finish(source)
    for file in files.values():
        file.close()


def told_by_ledger(folder: Path) -> Counter[tuple[str, str, int, int, str]]:
    found: Counter[tuple[str, str, int, int, str]] = Counter()
    for voice in telling(600_000).voices:
        station = voice.site.station_id
        for topic in TOPICS:
            for row in LedgerFolder(folder).records(station, topic).to_pylist():
                if row["sent_ms"] is None:
                    continue
                sent_ms = row["due_ms"] if row["fate"] == "duplicate" else row["sent_ms"]
                found[station, topic, row["due_ms"], sent_ms, row["fate"]] += 1
                if row["fate"] == "duplicate":
                    found[station, topic, row["due_ms"], row["sent_ms"], row["fate"]] += 1
    return found


def sent() -> Counter[tuple[str, str, int, int, str]]:
    def row(record: Record) -> tuple[str, str, int, int, str]:
        assert record.key is not None
        return record.key, record.topic, record.due_ms, record.sent_ms, str(record.fate)

    return Counter(map(row, telling(600_000).records(UNTIL_MS)))


@pytest.mark.parametrize("chunk_ms", [77_777, 600_000])
def test_the_ledger_tells_what_was_sent(tmp_path: Path, chunk_ms: int) -> None:
    write(tmp_path, chunk_ms)
    assert sent() == told_by_ledger(tmp_path)


def test_counts_and_lost_records_agree(tmp_path: Path) -> None:
    write(tmp_path, 600_000)
    counts = pq.read_table(tmp_path / "counts.parquet").to_pylist()
    for count in counts:
        rows = LedgerFolder(tmp_path).records(count["station_id"], count["topic"])
        assert count["due"] == len(rows)
        fates = Counter(rows["fate"].to_pylist())
        assert count["lost"] == fates["lost"] > 0
        assert count["late"] == fates["late"]
        chosen = LedgerFolder(tmp_path).records(
            count["station_id"], count["topic"], 0, 1_000_000, fates=["lost"]
        )
        assert {"lost"} == set(chosen["fate"].to_pylist())
        assert max(chosen["due_ms"].to_pylist()) < 1_000_000


def test_regular_runs_are_few(tmp_path: Path) -> None:
    write(tmp_path, 77_777)
    runs = pq.read_table(tmp_path / "runs.parquet").to_pylist()
    real = [each for each in runs if each["topic"] == "REAL-STATION-DATA"]
    assert [(200, 15_000), (200, 15_000)] == [(each["count"], each["period_ms"]) for each in real]
    orders = [each for each in runs if each["topic"] == "SCHEDULE-CAR-ORDER"]
    assert 2 * 2 * 1 == len(orders)
