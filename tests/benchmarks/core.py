"""The core against hand-written programs that do its job, on one Apache Kafka, in one run.

    python -m tests.benchmarks.core [--row NAME]... [--rounds N] [--records N] [--profile FILE]

Every row compares two programs (`core_rows`); each measurement is a process of its own, and rounds
are paired: in each, both sides run once, in turn who is first. A ratio is taken within a round; the
table shows the median, and the lowest and highest. `ratio` compares points per second, `cpu ratio`
what a point costs the client's process in processor time: on a machine that does other things too,
trust that one. Above 1 the service is quicker, or cheaper. Both sides' answers must add up to the
same. With `--profile` only the service runs, once a row, under cProfile.
"""

import argparse
import asyncio
import dataclasses
import shlex
import sys
from collections.abc import Sequence

from station_sim.brokers import TopicSpec, open_broker
from station_sim.errors import LabError
from tests.benchmarks.core_rows import LARGEST_RECORD_BYTES, OUT, PARTITIONS, ROWS, Row, Side
from tests.benchmarks.core_runs import Pair, Runs
from tests.benchmarks.core_table import conditions, figures, header
from tests.benchmarks.yardstick import print_yardstick

RESULTS = f"{OUT}-LOAD_PREDICTION"
LATE_START = 0.05
"""A service that waits longer than this share for its first callback has too few records."""


async def compare(rows: Sequence[Row], options: argparse.Namespace) -> bool:
    """Start the broker, measure, print the table; whether every wanted figure was met."""
    met = True
    properties = {"message.max.bytes": str(LARGEST_RECORD_BYTES)}
    async with open_broker("jvm", server_properties=properties) as broker:
        await broker.make_topics(TopicSpec(OUT, PARTITIONS), TopicSpec(RESULTS, PARTITIONS))
        runs = Runs(broker)
        if options.profile is not None:
            for row in rows:
                await runs.measure(row.ours, "--profile", options.profile)
                print(f"{row.name}: python -m pstats {options.profile}")
            return True
        # A broker that has just started is slower for whoever comes first.
        await runs.measure(rows[0].ours)
        print(f"{conditions(rows)}\n\n{header()}", flush=True)
        for row in rows:
            try:
                pairs = [await runs.round(row, number) for number in range(options.rounds)]
            except LabError as error:
                print(f"| {row.name} | not measured: {error}", flush=True)
                met = False
                continue
            line, reached = figures(row, pairs)
            print(line, flush=True)
            warn_of_late_start(row, pairs)
            met = met and reached
    print()
    print_yardstick()
    return met


def warn_of_late_start(row: Row, pairs: Sequence[Pair]) -> None:
    """Say so if the figures of a row are those of its start."""
    late = max(pair.ours.idle_start for pair in pairs)
    if late > LATE_START:
        print(f"{row.name}: {late:.0%} of the time before the first callback", file=sys.stderr)


def with_options(row: Row, service: str) -> Row:
    """Return the row with further options of its service, and of it alone."""
    ours = dataclasses.replace(row.ours, options=(*row.ours.options, *shlex.split(service)))
    return dataclasses.replace(row, ours=ours)


def with_records(row: Row, messages: int) -> Row:
    """Return the row with another number of records."""

    def changed(side: Side) -> Side:
        return dataclasses.replace(side, data=dataclasses.replace(side.data, messages=messages))

    other = None if row.yardstick is None else changed(row.yardstick)
    return dataclasses.replace(row, ours=changed(row.ours), yardstick=other)


def main() -> int:
    """Read the command line and measure; 0 if every wanted figure was met, else 1."""
    known = {row.name: row for row in ROWS}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--row", action="append", choices=list(known), help="again for more")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, help="of each row, in place of its own number")
    parser.add_argument("--profile", metavar="FILE", help="profile the service, compare nothing")
    parser.add_argument("--service", default="", help="options of core_service: '--linger-ms 5'")
    options = parser.parse_args()
    rows = [with_options(known[name], options.service) for name in options.row or known]
    if options.records is not None:
        rows = [with_records(row, options.records) for row in rows]
    try:
        return 0 if asyncio.run(compare(rows, options)) else 1
    except LabError as error:
        print(f"the core is not measured: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
