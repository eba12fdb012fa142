"""Files of records: the same bytes whatever the chunks, and the same records when read again."""

import json
import os
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import pytest
from tests.simulator.streams.fake_story import fake_profile, fake_stories

from station_sim.errors import LabError
from station_sim.outputs.lines import LinesFile, line
from station_sim.outputs.output import Address, open_files
from station_sim.outputs.parquet import ParquetFolder
from station_sim.outputs.recorded import BadLines, Recorded, read
from station_sim.streams.imperfections import Imperfections
from station_sim.streams.record import Fate, Record
from station_sim.streams.telling import Telling

TOPICS = (
    "SCHEDULE-STATION-PARAM",
    "REAL-STATION-DATA",
    "SCHEDULE-CAR-ORDER",
    "SCHEDULE-DEVICE-HOST-DCDC",
)
UNTIL_MS = 900_000
ROUGH = Imperfections(outage_every_days=0.05).times(4.0)


def told(chunk_ms: int = 300_000, topics: tuple[str, ...] = TOPICS) -> list[Record]:
    stories = fake_stories(2, hosts=1, guns_per_host=2)
    telling = Telling(stories, fake_profile(), topics=topics, layer=ROUGH, chunk_ms=chunk_ms)
    return list(telling.records(UNTIL_MS))


def write_lines(path: Path, records: list[Record]) -> bytes:
    output = LinesFile(path.open("xb"))
    for first in range(0, len(records), 777):
        output.write(records[first : first + 777])
    output.close()
    return path.read_bytes()


def write_parquet(folder: Path, records: list[Record], portion: int) -> dict[str, bytes]:
    output = ParquetFolder(folder)
    for first in range(0, len(records), portion):
        output.write(records[first : first + portion])
    output.close()
    return {each.stem: each.read_bytes() for each in folder.iterdir()}


def plain(records: list[Record]) -> list[tuple[str, str | None, int, bytes]]:
    return [(each.topic, each.key, each.timestamp_ms, each.value) for each in records]


def plain_rows(rows: list[Recorded]) -> list[tuple[str, str | None, int, bytes]]:
    return [(each.topic, each.key, each.timestamp_ms, each.value) for each in rows]


def test_lines_are_the_same_whatever_the_chunks(tmp_path: Path) -> None:
    first = write_lines(tmp_path / "a.jsonl", told())
    assert first == write_lines(tmp_path / "b.jsonl", told(chunk_ms=31_000))


def test_parquet_files_are_the_same_whatever_the_chunks(tmp_path: Path) -> None:
    first = write_parquet(tmp_path / "a", told(), 777)
    assert set(TOPICS) == set(first)
    assert first == write_parquet(tmp_path / "b", told(chunk_ms=31_000), 2000)


def test_a_topic_less_leaves_the_other_files_as_they_are(tmp_path: Path) -> None:
    whole = write_parquet(tmp_path / "a", told(), 1000)
    less = write_parquet(tmp_path / "b", told(topics=TOPICS[:3]), 1000)
    assert less == {topic: whole[topic] for topic in TOPICS[:3]}


def test_a_line_tells_a_record() -> None:
    record = Record(5, 7, "T", "a", b'{"n":1}', 1005, ("a",), Fate.LATE)
    assert {
        "topic": "T",
        "key": "a",
        "timestamp": 1005,
        "due": 5,
        "sent": 7,
        "fate": "late",
        "value": {"n": 1},
    } == json.loads(line(record))


def test_a_value_that_is_no_json_stands_as_base64() -> None:
    record = Record(5, 5, "T", None, b"\xff{", 1005, (), Fate.MALFORMED)
    assert b"\xff{" == b64decode(json.loads(line(record))["bytes"])


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_what_was_written_is_read_again(tmp_path: Path, kind: str) -> None:
    records, bad = told(), BadLines()
    if kind == "jsonl":
        write_lines(tmp_path / "a.jsonl", records)
        found = list(read([tmp_path / "a.jsonl"], bad))
        assert plain(records) == plain_rows(found)
    else:
        write_parquet(tmp_path / "a", records, 1000)
        found = list(read([tmp_path / "a"], bad))
        assert sorted(map(repr, plain(records))) == sorted(map(repr, plain_rows(found)))
    assert 0 == bad.count


def test_a_user_s_lines_may_lack_what_ours_have(tmp_path: Path) -> None:
    path = tmp_path / "user.jsonl"
    path.write_text(
        '{"topic":"T","value":{"stationId":"a","n":1},"timestamp":1000}\n'
        '{"topic":"T","value":"{\\"stationId\\":\\"b\\"}"}\n'
        "\n"
        '{"topic":"T","key":null,"value":[],"timestamp_ms":3000.0}\n'
    )
    bad = BadLines()
    found = list(read([path], bad))
    assert [("T", "a", 1000), ("T", "b", 0), ("T", None, 3000)] == [
        (each.topic, each.key, each.timestamp_ms) for each in found
    ]
    assert [1000, 1000, 3000] == [each.at_ms for each in found]
    assert 0 == bad.count


def test_bad_lines_are_counted_with_their_places_and_stop_nothing(tmp_path: Path) -> None:
    path = tmp_path / "user.jsonl"
    path.write_text(
        "{\n"
        "[]\n"
        '{"value":{}}\n'
        '{"topic":"T"}\n'
        '{"topic":"T","value":{},"timestamp":"now"}\n'
        '{"topic":"T","value":{},"key":5}\n'
        '{"topic":"T","value":{"n":7}}\n'
    )
    bad = BadLines()
    assert [b'{"n":7}'] == [each.value for each in read([path], bad)]
    assert 6 == bad.count
    assert f"{path}:3: has no 'topic'" == bad.places[2]
    assert f"{path}:4: has no 'value'" == bad.places[3]
    assert f"{path}:2: is a list, not an object" == bad.places[1]


def test_files_that_are_there_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("")
    with pytest.raises(LabError, match=r"a.jsonl is there already; choose another name"):
        open_files(Address.of(str(tmp_path / "a.jsonl")), ())
    with pytest.raises(LabError, match="is not empty; choose another folder"):
        open_files(Address.of(str(tmp_path)), ())


@pytest.mark.parametrize("address", ["kafka://", "kafka://host", "http://host:1/"])
def test_addresses_that_mean_nothing_are_refused(address: str) -> None:
    with pytest.raises(LabError, match=r"write kafka://HOST:PORT|there are kafka://HOST:PORT"):
        Address.of(address)


PROGRAM = """
import sys
from pathlib import Path
from tests.simulator.outputs.test_files import told, write_lines
import hashlib
print(hashlib.sha256(write_lines(Path(sys.argv[1]), told())).hexdigest())
"""


def test_another_process_and_hash_seed_write_the_same_bytes(tmp_path: Path) -> None:
    def digest(seed: str) -> str:
        command = [sys.executable, "-c", PROGRAM, str(tmp_path / f"{seed}.jsonl")]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    assert digest("1") == digest("2")
