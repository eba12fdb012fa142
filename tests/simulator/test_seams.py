"""Seams are put back, whoever kept them, and are never those of a world that is over."""

import asyncio
import datetime
import importlib
import sys
import time
from pathlib import Path
from time import monotonic as imported_monotonic

import pytest

from station_sim.clock import EPOCH_S, run_virtual
from station_sim.errors import VirtualTimeError

MODULE = """
from time import time, monotonic

class Stamped:
    clock = monotonic

    def stamp(self):
        return self.clock()
"""


@pytest.fixture(name="folder")
def importable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module `keeps_clocks` that keeps clocks under names of its own."""
    (tmp_path / "keeps_clocks.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "keeps_clocks", raising=False)
    return tmp_path


def test_a_name_imported_before_the_world_is_the_worlds() -> None:
    async def read() -> float:
        await asyncio.sleep(100)
        return imported_monotonic()

    real = imported_monotonic
    assert run_virtual(read) == pytest.approx(100, abs=0.001)
    assert real is imported_monotonic


@pytest.mark.usefixtures("folder")
def test_a_module_imported_inside_a_world_has_the_right_clock_ever_after() -> None:
    async def first() -> float:
        module = importlib.import_module("keeps_clocks")
        await asyncio.sleep(100)
        return float(module.time())

    async def later() -> tuple[float, float]:
        module = importlib.import_module("keeps_clocks")
        await asyncio.sleep(7)
        return module.time(), module.Stamped().stamp()

    assert run_virtual(first) == pytest.approx(EPOCH_S + 100, abs=0.001)
    module = importlib.import_module("keeps_clocks")
    assert time.time() == pytest.approx(module.time(), abs=60)
    assert run_virtual(later) == (
        pytest.approx(EPOCH_S + 7, abs=0.001),
        pytest.approx(7, abs=0.001),
    )


def test_a_second_world_inside_a_world_is_refused() -> None:
    async def nest() -> None:
        run_virtual(nest)

    with pytest.raises(VirtualTimeError, match="inside a running loop"):
        run_virtual(nest)


def test_dates_are_the_worlds_by_every_way_to_them() -> None:
    class Stamp(datetime.datetime):
        pass

    kept = datetime.datetime

    async def read() -> list[datetime.datetime]:
        await asyncio.sleep(3600)
        return [
            kept.now(datetime.UTC),
            Stamp.now(datetime.UTC),
            kept.utcnow().replace(tzinfo=datetime.UTC),
            kept.now().astimezone(datetime.UTC),
            kept.today().astimezone(datetime.UTC),
        ]

    expected = datetime.datetime(2026, 2, 28, 17, tzinfo=datetime.UTC)
    for read_time in run_virtual(read):
        assert abs(read_time - expected) < datetime.timedelta(milliseconds=1)
    now = kept.now(datetime.UTC)
    assert now.timestamp() == pytest.approx(time.time(), abs=60)
    assert Stamp is type(Stamp.now(datetime.UTC))


@pytest.mark.skipif(not hasattr(time, "clock_gettime"), reason="the system has no clock_gettime")
def test_the_systems_clocks_are_the_worlds() -> None:
    async def read() -> tuple[float, float, int]:
        await asyncio.sleep(10)
        return (
            time.clock_gettime(time.CLOCK_REALTIME),
            time.clock_gettime(time.CLOCK_MONOTONIC),
            time.clock_gettime_ns(time.CLOCK_MONOTONIC),
        )

    wall, monotonic, monotonic_ns = run_virtual(read)
    assert wall == pytest.approx(EPOCH_S + 10, abs=0.001)
    assert monotonic == pytest.approx(10, abs=0.001)
    assert monotonic_ns / 1e9 == pytest.approx(10, abs=0.001)
