"""A process of ours ends with whoever started it, however that ended."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.simulator.brokers.living import is_running, wait_for

from station_sim.brokers.process import LeashedProcess
from station_sim.errors import LabError

STARTER = """
import asyncio, sys
from pathlib import Path
from station_sim.brokers.process import LeashedProcess

async def main():
    directory = Path(sys.argv[1])
    command = ["sleep", "1000"]
    process = await LeashedProcess.start(command, directory=directory, log_path=directory / "log")
    print(process.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def start(directory: Path, *command: str) -> LeashedProcess:
    return await LeashedProcess.start(command, directory=directory, log_path=directory / "log")


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_its_starter(end: signal.Signals, tmp_path: Path) -> None:
    directory = tmp_path / "broker"
    directory.mkdir()
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert is_running(pid)
        starter.send_signal(end)

    wait_for(lambda: not is_running(pid), "the end of the process")
    wait_for(lambda: not directory.exists(), "the removal of its folder")


def test_it_ends_with_its_leash(tmp_path: Path) -> None:
    async def main() -> None:
        process = await start(tmp_path, "sleep", "1000")
        process._leash.kill()
        await process.wait()
        await asyncio.to_thread(wait_for, lambda: not is_running(process.pid), "its end")
        await process.kill()

    asyncio.run(main())


def test_stop_keeps_the_folder(tmp_path: Path) -> None:
    async def main() -> int | None:
        process = await start(tmp_path, "sleep", "1000")
        await process.stop()
        assert not is_running(process.pid)
        return process.exit_code

    assert 128 + signal.SIGTERM == asyncio.run(main())
    assert tmp_path.exists()


def test_kill_needs_no_consent(tmp_path: Path) -> None:
    async def main() -> int | None:
        process = await start(tmp_path, "sh", "-c", "trap '' TERM; echo ready; sleep 1000")
        await asyncio.to_thread(wait_for, lambda: "ready" in read(tmp_path), "the script")
        await process.kill()
        return process.exit_code

    def read(directory: Path) -> str:
        return (directory / "log").read_text()

    assert 128 + signal.SIGKILL == asyncio.run(main())


def test_output_and_exit_code(tmp_path: Path) -> None:
    async def main() -> int:
        process = await start(tmp_path, "sh", "-c", "echo out; echo err >&2; exit 3")
        exit_code = await process.wait()
        await process.stop()
        return exit_code

    assert 3 == asyncio.run(main())
    assert "out\nerr\n" == (tmp_path / "log").read_text()


def test_no_such_program(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="could not start no-such-program"):
        asyncio.run(start(tmp_path, "no-such-program"))
