"""What `run.json` says of a run: what was told, and until when."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from station_sim.streams.imperfections import Imperfections
from station_sim.world.profile import Profile


def run_facts(profile: Profile, end_s: float, layer: Imperfections) -> dict[str, Any]:
    """What `run.json` says of a run."""
    return {
        "schema": 1,
        "profile": profile.name,
        "seed": profile.seed,
        "start": profile.start.isoformat(),
        "epoch_ms": profile.epoch_ms,
        "days": end_s / 86_400,
        "begin_s": 0.0,
        "end_s": end_s,
        "stations": profile.stations,
        "rates": {str(cadence): asdict(rates) for cadence, rates in layer.rates.items()},
        "interrupted": False,
    }


def write_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Write `run.json`."""
    text = json.dumps(facts, indent=1, ensure_ascii=False)
    (folder / "run.json").write_text(text + "\n", encoding="utf-8")
