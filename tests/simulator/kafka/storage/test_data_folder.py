"""The data folder: one user at a time, batches found again as they were written."""

import uuid
from pathlib import Path

import pytest
from tests.simulator.kafka.record_batches import make_batch

from station_sim.errors import LabError
from station_sim.kafka.batches import parse_batch
from station_sim.kafka.storage.data_folder import DataFolder
from station_sim.kafka.storage.open_files import OpenFiles

TOPIC_ID = uuid.UUID(int=7)


def write_three(folder: DataFolder) -> list[bytes]:
    files = folder.batch_files(TOPIC_ID, 0)
    written = []
    for index in range(3):
        batch = parse_batch(make_batch(value=b"%d" % index))
        batch.place(index)
        files.append(0 if index < 2 else 2, batch.data)
        written.append(batch.data)
    return written


def read_all(folder: DataFolder) -> list[tuple[int, list[bytes]]]:
    files = folder.batch_files(TOPIC_ID, 0)
    return [(offset, [batch.data for batch in batches]) for offset, _at, batches in files.load()]


def test_batches_are_found_again(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    one, two, three = write_three(folder)
    folder.close()
    assert [(0, [one, two]), (2, [three])] == read_all(DataFolder(tmp_path))


def test_a_torn_end_is_dropped_and_written_over(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    one, two, three = write_three(folder)
    folder.close()
    path = next(tmp_path.glob("topics/*/0/*0.log"))
    whole = path.read_bytes()
    for size in range(len(one), len(whole)):
        path.write_bytes(whole[:size])
        folder = DataFolder(tmp_path)
        assert [(0, [one]), (2, [three])] == read_all(folder)
        files = folder.batch_files(TOPIC_ID, 0)
        assert 2 == len(list(files.load()))
        files.append(0, two)
        assert [(0, [one, two]), (2, [three])] == read_all(folder)
        folder.close()


def test_damage_is_told_with_its_file(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    write_three(folder)
    path = next(tmp_path.glob("topics/*/0/*0.log"))
    data = bytearray(path.read_bytes())
    data[-1] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(LabError, match=r"0\.log is damaged: a batch whose CRC"):
        read_all(folder)


def test_segments_are_deleted_and_replaced(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    one, _two, three = write_three(folder)
    files = folder.batch_files(TOPIC_ID, 0)
    assert 2 == len(list(files.load()))
    files.replace(0, [parse_batch(one)])
    assert [(0, [one]), (2, [three])] == read_all(folder)
    files.delete(0)
    assert [(2, [three])] == read_all(folder)
    files.remove()
    assert [] == read_all(folder)


def test_a_folder_has_one_user(tmp_path: Path) -> None:
    first = DataFolder(tmp_path)
    with pytest.raises(LabError, match=r"is in use by another broker: end that one"):
        DataFolder(tmp_path)
    first.close()
    DataFolder(tmp_path).close()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(LabError, match=r"cannot use the data folder .*file: "):
        DataFolder(tmp_path / "file")


def test_files_used_longest_ago_are_closed(tmp_path: Path) -> None:
    files = OpenFiles(limit=2)
    for name in ("a", "b", "a", "c", "a"):
        files.descriptor(tmp_path / name)
    assert 2 == len(files)
    files.close_all()
    assert 0 == len(files)
