"""The figures of the station world, each beside its target.

    python -m tests.benchmarks.world [--stations N] [--days D] [--part PART]

`physics` tells stations and reads the 15-second columns of all their devices, nothing serialised;
`run-folder` saves tables and the ledger of the same; `records` draws bytes ready to send. Every row
is a process of its own; N and D are the largest of three sizes. What 100 stations of 30 days would
take is the dearest row's cost of a gun's day times their guns' days. A yardstick (a fixed piece of
plain Python) is timed before and after each part.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from station_sim.world.charging_network import Network
from tests.benchmarks.world_physics import Cost, profile_of
from tests.benchmarks.world_records import Rates
from tests.benchmarks.yardstick import print_yardstick

PARTS = ("physics", "run-folder", "records")
WHOLE_STATIONS, WHOLE_DAYS = 100, 30.0
WALL_S_MAX, MIB_MAX, PROCESSORS = 600.0, 2048.0, 2
RECORDS_PER_S_MIN = 60_000
GROWTH_MAX, FLAT_MAX = 1.3, 1.25
"""What a gun's day may cost more in a large network than in a small one, and hours in memory."""

COUNTED_RECORDS = 1000
"""Fewer of a topic say nothing of its rate: the story beneath took the time."""

HOURS = (1.0, 4.0, 8.0)
TIMEOUT_S = 3600.0


def main(arguments: Sequence[str]) -> int:
    """Measure the parts that are asked for; 0 if every target was met, else 1."""
    parser = argparse.ArgumentParser(description="The figures of the station world.")
    parser.add_argument("--stations", type=int, default=40)
    parser.add_argument("--days", type=float, default=8.0)
    parser.add_argument("--part", choices=PARTS)
    asked = parser.parse_args(arguments)
    missed = 0
    for part in [asked.part] if asked.part else PARTS:
        print(f"\n{part}")
        print_yardstick()
        if part == "records":
            missed += not records(asked.stations)
        else:
            missed += not costs(part, asked.stations, asked.days)
        print_yardstick()
    return 1 if missed else 0


def costs(part: str, stations: int, days: float) -> bool:
    """Print what a part costs at three numbers of stations and of days; whether it is in time."""
    print(
        f"{'stations':>8}{'guns':>7}{'days':>7}{'wall s':>9}{'cpu s':>9}{'ms/gun-day':>12}", end=""
    )
    print(f"{'peak MiB':>10}")
    wide = [cost(part, size, days / 4) for size in sizes(stations)]
    long = [wide[0], *(cost(part, sizes(stations)[0], days * share) for share in (0.5, 1.0))]
    is_linear = all([growth("stations", wide), growth("days", long)])
    return whole(part, [*wide, *long]) and is_linear


def sizes(largest: int) -> tuple[int, int, int]:
    """A quarter, a half and the whole."""
    return max(largest // 4, 1), max(largest // 2, 1), largest


def cost(part: str, stations: int, days: float) -> Cost:
    """Measure in a new process, and print the row."""
    module = "tests.benchmarks.world_physics"
    found = Cost(**told((module, str(stations), str(days), part)))
    each_ms = 1000 * found.cpu_s / found.gun_days
    print(f"{found.stations:8}{found.guns:7}{found.days:7.1f}{found.wall_s:9.2f}", end="")
    print(f"{found.cpu_s:9.2f}{each_ms:12.2f}{found.peak_mib:10.0f}", flush=True)
    return found


def told(command: tuple[str, ...]) -> dict[str, Any]:
    """What a module prints as JSON."""
    run = subprocess.run(
        (sys.executable, "-m", *command), capture_output=True, check=True, timeout=TIMEOUT_S
    )
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def growth(what: str, rows: Sequence[Cost]) -> bool:
    """Whether a gun's day costs no more in the largest row than in the smallest."""
    each_s = [row.cpu_s / row.gun_days for row in rows]
    ratio, more_mib = each_s[-1] / each_s[0], rows[-1].peak_mib - rows[0].peak_mib
    print(
        f"with {what} a gun's day costs {ratio:.2f} times as much (target < {GROWTH_MAX}),"
        f" memory {more_mib:+.0f} MiB"
    )
    return ratio < GROWTH_MAX


def whole(part: str, rows: Sequence[Cost]) -> bool:
    """What the whole city for a month would take, if its gun days cost as much as the dearest."""
    guns = sum(len(site.guns) for site in Network(profile_of(WHOLE_STATIONS)).sites)
    large = [row for row in rows if row.gun_days >= max(each.gun_days for each in rows) / 2]
    cpu_s = max(row.cpu_s / row.gun_days for row in large) * guns * WHOLE_DAYS
    wall_s, mib = cpu_s / PROCESSORS, max(row.peak_mib for row in rows)
    print(
        f"{WHOLE_STATIONS} stations ({guns} guns) of {WHOLE_DAYS:g} days: {cpu_s:.0f} s of"
        f" processor, {wall_s:.0f} s on {PROCESSORS} (target < {WALL_S_MAX:g}),"
        f" {mib:.0f} MiB (target < {MIB_MAX:g})"
    )
    return part != "physics" or (wall_s < WALL_S_MAX and mib < MIB_MAX)


def records(stations: int) -> bool:
    """Print how many records are drawn a second, and in what memory; whether that is enough."""
    hours = tuple(map(str, HOURS))
    found = Rates(**told(("tests.benchmarks.world_records", str(stations), *hours)))
    print(f"{'topic alone':34}{'records':>10}{'cpu s':>9}{'records/s':>11}")
    for topic, (count, cpu_s) in found.topics.items():
        told_rate = f"{count / cpu_s:11.0f}" if count >= COUNTED_RECORDS else f"{'-':>11}"
        print(f"{topic:34}{count:10}{cpu_s:9.2f}{told_rate}")
    rate = found.records / found.cpu_s
    print(
        f"{'all topics together':34}{found.records:10}{found.cpu_s:9.2f}{rate:11.0f}"
        f"   (target >= {RECORDS_PER_S_MIN})"
    )
    peaks = list(found.peaks_mib.values())
    shown = ", ".join(f"{mib:.0f} MiB after {hour} h" for hour, mib in found.peaks_mib.items())
    print(
        f"{found.stations} stations, {found.guns} guns, {found.value_bytes / found.records:.0f}"
        f" bytes a value; at most {shown}: {peaks[-1] / peaks[0]:.2f} times (target < {FLAT_MAX})"
    )
    return rate >= RECORDS_PER_S_MIN and peaks[-1] / peaks[0] < FLAT_MAX


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
