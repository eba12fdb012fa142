"""The tutorial of the first service, lived through as it stands there, in both languages."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from station_sim.brokers import open_broker
from tests.docs.blocks import FIRST_SERVICE_PAGES, blocks

WITHIN_S = 60.0


def shown(language: str, page: str) -> list[str]:
    return [block.text for block in blocks(language) if block.page == page]


@pytest.mark.parametrize("page", FIRST_SERVICE_PAGES)
def test_the_tutorial_can_be_lived_through(page: str, tmp_path: Path) -> None:
    asyncio.run(_live_through(page, tmp_path))


def test_the_programs_are_the_same_in_both_languages() -> None:
    one, other = FIRST_SERVICE_PAGES
    for language, count in (("python", 3), ("text", 2), ("sh", 2)):
        assert count == len(shown(language, one))
        assert shown(language, one) == shown(language, other)


async def _live_through(page: str, folder: Path) -> None:
    calls, results = shown("text", page)
    async with open_broker("embedded") as kafka, asyncio.timeout(WITHIN_S):
        programs = [folder / name for name in ("forecast.py", "send.py", "read.py")]
        for path, text in zip(programs, shown("python", page), strict=True):
            path.write_text(text.replace("localhost:9092", kafka.bootstrap))
        forecast, send, read = map(str, programs)
        service = await _python(forecast)
        try:
            assert (b"", 0) == await _output(send)
            assert service.stdout is not None
            heard = [(await service.stdout.readline()).decode() for _ in calls.splitlines()]
            assert calls == "".join(heard)
            assert (results.encode(), 0) == await _output(read)
            group = re.search("group-id (.*)", shown("sh", page)[1])
            assert group is not None
            lag = ["-m", "station_sim.cli", "lag", "--bootstrap", kafka.bootstrap]
            while " 3          3          0" not in (
                told := (await _output(*lag, "--group-id", group[1]))[0].decode()
            ):
                assert "REAL-STATION-DATA" in told
        finally:
            service.terminate()
            await service.wait()


async def _python(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE
    )


async def _output(*arguments: str) -> tuple[bytes, int | None]:
    process = await _python(*arguments)
    out, _ = await process.communicate()
    return out, process.returncode
