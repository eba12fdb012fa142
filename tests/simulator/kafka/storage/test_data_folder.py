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


def placed_batches(count: int) -> list[bytes]:
    placed = []
    for index in range(count):
        batch = parse_batch(make_batch(value=b"%d" % index))
        batch.place(index)
        placed.append(batch.data)
    return placed


def write_three(folder: DataFolder) -> list[bytes]:
    files = folder.batch_files(TOPIC_ID, 0)
    written = placed_batches(3)
    for index, data in enumerate(written):
        files.append(0 if index < 2 else 2, data)
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
    files = folder.batch_files(TOPIC_ID, 0)
    one, two = placed_batches(2)
    for data in (one, two):
        files.append(0, data)
    folder.close()
    path = next(tmp_path.glob("topics/*/0/*0.log"))
    whole = path.read_bytes()
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        folder = DataFolder(tmp_path)
        kept = [one, two][: (size >= len(one)) + (size >= len(whole))]
        assert [(0, kept)] == read_all(folder)
        files = folder.batch_files(TOPIC_ID, 0)
        assert 1 == len(list(files.load()))
        files.append(0, two)
        assert [(0, [*kept, two])] == read_all(folder)
        folder.close()


def test_an_earlier_segment_is_never_cut_short(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    one, _two, _three = write_three(folder)
    path = next(tmp_path.glob("topics/*/0/*0.log"))
    path.write_bytes(path.read_bytes()[: len(one) + 20])
    with pytest.raises(LabError, match=rf"0\.log is damaged: it ends within .* byte {len(one)}"):
        read_all(folder)


def test_a_length_that_is_damaged_is_no_cut(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    files = folder.batch_files(TOPIC_ID, 0)
    for data in placed_batches(3):
        files.append(0, data)
    path = next(tmp_path.glob("topics/*/0/*0.log"))
    whole = bytearray(path.read_bytes())
    whole[9] = 0xFF  # of the first batch's length
    path.write_bytes(whole)
    with pytest.raises(LabError, match=r"0\.log is damaged: the length of the batch at byte 0"):
        read_all(folder)


def test_damage_is_told_with_its_file(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    write_three(folder)
    path = next(tmp_path.glob("topics/*/0/*0.log"))
    data = bytearray(path.read_bytes())
    data[-1] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(LabError, match=r"0\.log is damaged: at byte \d+, a batch whose CRC"):
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


def test_a_folder_of_another_version_is_told(tmp_path: Path) -> None:
    DataFolder(tmp_path).close()
    (tmp_path / "version").write_text("station-lab data 2\n")
    with pytest.raises(LabError, match=r"is of another version, 'station-lab data 2'; this one"):
        DataFolder(tmp_path)


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(LabError, match=r"holds other things than a broker's data, as 'thesis.tex'"):
        DataFolder(tmp_path)
    assert [tmp_path / "thesis.tex"] == list(tmp_path.iterdir())


def test_what_is_left_of_deleted_topics_is_removed(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    write_three(folder)
    folder.keep_topics({TOPIC_ID})
    assert 2 == len(read_all(folder))
    folder.keep_topics(set())
    assert [] == read_all(folder)


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
