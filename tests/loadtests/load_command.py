"""`station-lab load` as a user runs it: a process of its own, with a deadline."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DEADLINE_S = 120
SERVICES = "tests.loadtests.services"

SHORT = ("--duration", "3", "--rate", "300", "--stations", "20", "--partitions", "4")


@dataclass(frozen=True)
class Outcome:
    """How the command ended."""

    exit_code: int
    output: str
    errors: str

    @property
    def report(self) -> dict[str, Any]:
        """Its one line of JSON."""
        (line,) = self.output.splitlines()
        report: dict[str, Any] = json.loads(line)
        return report


def command_line(*arguments: str) -> list[str]:
    """The command with its arguments."""
    return [sys.executable, "-m", "station_sim.cli", "load", *arguments]


def load(*arguments: str) -> Outcome:
    """Run the command to its end."""
    done = subprocess.run(
        command_line(*arguments),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def load_embedded(service: str, *arguments: str) -> Outcome:
    """A short run on the embedded broker with a service of `services.py`, answered in JSON."""
    return load(*SHORT, "--broker", "embedded", *under_load(service), "--json", *arguments)


def under_load(service: str) -> tuple[str, ...]:
    """The options that name a service of `services.py`, and a model that it can feed."""
    return ("--service", f"{SERVICES}:{service}", "--callback", f"{SERVICES}:power")
