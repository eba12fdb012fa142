"""A network's physics and the 15-second columns of all its devices, measured; nothing serialised.

    python -m tests.benchmarks.world_physics STATIONS DAYS

Every station is told from its beginning, quarter day by quarter day, in as many processes as there
are processors; columns are read and let go of. What a run into a folder costs can be measured in
the same way: it is another function of `MEASURES`. Tables are `world`'s.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from station_sim.outputs.run_folder import save_run
from station_sim.profiles import load_profile
from station_sim.world.charging_network import Network
from station_sim.world.efficiency import module_kw
from station_sim.world.profile import Profile
from station_sim.world.sun import clear_day

PROFILE = "city-100"
SAMPLE_S = 15.0
CHUNK_S = 21_600.0
MIB_PER_KIB = 1 / 1024


@dataclass(frozen=True)
class Cost:
    """What a network of so many stations took: wall and processor seconds of all processes.

    `peak_mib` adds up what each process held at most; shared pages count in each of them.
    """

    stations: int
    guns: int
    days: float
    wall_s: float
    cpu_s: float
    peak_mib: float

    @property
    def gun_days(self) -> float:
        """What work is proportional to."""
        return self.guns * self.days


def profile_of(stations: int) -> Profile:
    """The first stations of the city."""
    return replace(load_profile(PROFILE), stations=stations)


def tell_columns(profile: Profile, days: float, index: int) -> tuple[int, float]:
    """One station's story, all its columns read: this process' id and its peak in MiB."""
    story = Network(profile).story(index)
    end_s = days * 86_400
    for begin_s in np.arange(0.0, end_s, CHUNK_S).tolist():
        until_s = min(begin_s + CHUNK_S, end_s)
        story.advance(until_s)
        read_columns(story, np.arange(begin_s, until_s, SAMPLE_S))
        story.forget(until_s - 2 * 3600)
    return os.getpid(), peak_mib()


def read_columns(story: Any, times_s: "np.ndarray[Any, Any]") -> float:
    """Ask for every column that devices report each 15 seconds; a sum, so that all were made."""
    site, total = story.site, 0.0
    for gun in site.guns:
        total += story.gun_kw(gun.number, times_s).sum()
        total += story.gun_status(gun.number, times_s).sum()
    for index, host in enumerate(site.hosts):
        dc_kw = story.host_dc_kw(index, times_s)
        total += dc_kw.sum() + story.host_ac_kw(index, times_s).sum()
        total += module_kw(dc_kw, host.rated_kw).sum()
    for unit in range(len(site.storage)):
        total += story.storage_kw(unit, times_s).sum() + story.storage_soc(unit, times_s).sum()
    total += story.pv_kw(times_s).sum() + story.auxiliaries_kw(times_s).sum()
    total += story.meter_kw(times_s).sum() + story.meter_kwh(times_s).sum()
    return float(total)


def peak_mib() -> float:
    """The most that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MIB_PER_KIB


def measure_physics(profile: Profile, days: float) -> float:
    """Tell all stations; the workers' peaks in MiB, added up."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        peaks = dict(pool.map(partial(tell_columns, profile, days), range(profile.stations)))
    return sum(peaks.values())


def measure_folder(profile: Profile, days: float) -> float:
    """Save a run with all tables and its ledger; the largest worker's peak for each of them."""
    with TemporaryDirectory() as folder:
        save_run(Network(profile), 0.0, days * 86_400, Path(folder) / "run")
    largest_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return largest_kib * MIB_PER_KIB * (os.cpu_count() or 1)


MEASURES: dict[str, Callable[[Profile, float], float]] = {
    "physics": measure_physics,
    "run-folder": measure_folder,
}


def measured(part: str, stations: int, days: float) -> Cost:
    """The cost of one part, this process' own included, but for what is imported once."""
    profile = profile_of(stations)
    clear_day(profile.city.latitude, profile.city.longitude, profile.start.date())
    began_s, before_s = time.perf_counter(), cpu_s()
    workers_mib = MEASURES[part](profile, days)
    wall_s, used_s = time.perf_counter() - began_s, cpu_s() - before_s
    guns = sum(len(site.guns) for site in Network(profile).sites)
    return Cost(stations, guns, days, wall_s, used_s, workers_mib + peak_mib())


def cpu_s() -> float:
    """Processor seconds of this process and of those that it began and that have ended."""
    own, children = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    part = sys.argv[3] if len(sys.argv) > 3 else "physics"
    print(json.dumps(asdict(measured(part, int(sys.argv[1]), float(sys.argv[2])))))
