"""The journal: what was put is found again, whatever happened to the end of the file."""

import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station_sim.errors import LabError
from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.storage import journal as journals
from station_sim.kafka.storage.journal import JournalFile


@dataclass(frozen=True)
class Thing:
    """A value with each sort of field that records have."""

    number: int
    text: str = ""
    data: bytes = b""
    missing: int | None = None
    pairs: tuple[tuple[str, int], ...] = ()


STEPS = st.lists(
    st.tuples(st.sampled_from("pdr"), st.sampled_from("abc"), st.integers(0, 3)), max_size=40
)


def things(journal: JournalFile) -> dict[tuple[str, ...], Thing]:
    return dict(journal.values("thing", Thing))


@contextmanager
def file_size_limit(limit_bytes: int) -> Iterator[None]:
    """Files of this process may not grow beyond a size, as if the disk were full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@given(STEPS)
def test_it_holds_what_a_dictionary_would(steps: list[tuple[str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal"
        journal = JournalFile(path)
        expected: dict[tuple[str, ...], Thing] = {}
        for deed, key, number in steps:
            if deed == "p":
                journal.put("thing", (key, "x"), Thing(number))
                expected[key, "x"] = Thing(number)
            elif deed == "d":
                journal.drop("thing", (key, "x"))
                expected.pop((key, "x"), None)
            else:
                journal.close()
                journal = JournalFile(path)
            assert expected == things(journal)
        journal.close()
        assert expected == things(JournalFile(path))


def test_every_sort_of_field_comes_back(tmp_path: Path) -> None:
    thing = Thing(-5, "站", b"\x00\xff", 7, (("a", 1), ("b", 2)))
    journal = JournalFile(tmp_path / "j")
    journal.put("thing", ("k",), thing)
    journal.put("other", ("k",), Thing(1))
    journal.close()
    assert {("k",): thing} == things(JournalFile(tmp_path / "j"))


def test_an_end_that_is_cut_short_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = JournalFile(path)
    journal.put("thing", ("a",), Thing(1))
    whole = path.stat().st_size
    journal.put("thing", ("b",), Thing(2))
    journal.close()
    data = path.read_bytes()
    for size in range(whole, len(data)):
        path.write_bytes(data[:size])
        assert {("a",): Thing(1)} == things(JournalFile(path))


def test_damage_in_the_midst_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = JournalFile(path)
    journal.put("thing", ("a",), Thing(1))
    journal.put("thing", ("b",), Thing(2))
    journal.close()
    data = bytearray(path.read_bytes())
    for place in (0, 10):  # in the length, in the payload
        damaged = bytearray(data)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        with pytest.raises(LabError, match=r"journal .*j is damaged at byte 0 of \d+: restore"):
            JournalFile(path)
    data[-1] ^= 0xFF  # whole, and wrong: no kill leaves that
    path.write_bytes(data)
    with pytest.raises(LabError, match=r"journal .*j is damaged at byte \d+ of \d+: restore"):
        JournalFile(path)


def test_it_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "OUTDATED_BYTES_KEPT", 1000)
    path = tmp_path / "j"
    journal = JournalFile(path)
    for number in range(1000):
        journal.put("thing", ("a",), Thing(number))
    assert path.stat().st_size < 1200
    assert {("a",): Thing(999)} == things(journal)


def test_a_full_disk_keeps_it_from_being_tidied_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "OUTDATED_BYTES_KEPT", 100)

    def no_room(self: Path, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", no_room)
    path = tmp_path / "j"
    journal = JournalFile(path)
    for number in range(100):
        journal.put("thing", ("a",), Thing(number))
    assert path.stat().st_size > 1000
    journal.close()
    assert {("a",): Thing(99)} == things(JournalFile(path))


def test_a_full_disk_refuses_and_harms_nothing(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = JournalFile(path)
    journal.put("thing", ("a",), Thing(1))
    size_bytes = path.stat().st_size
    with file_size_limit(size_bytes + 5), pytest.raises(RefusalError) as caught:
        journal.put("thing", ("b",), Thing(2))
    assert ErrorCode.KAFKA_STORAGE_ERROR == caught.value.code
    assert size_bytes == path.stat().st_size
    journal.put("thing", ("c",), Thing(3))
    journal.close()
    assert {("a",): Thing(1), ("c",): Thing(3)} == things(JournalFile(path))
