"""`python -m station_sim.kafka`: the same as `station-lab broker`."""

import sys

from station_sim.cli import main

if __name__ == "__main__":
    main(["broker", *sys.argv[1:]])
