"""Prints the digests of small runs: `python -m tests.scenarios.small_digests SEED...`."""

import sys

from tests.scenarios.small import STORIES, run_small

if __name__ == "__main__":
    for seed in map(int, sys.argv[1:]):
        for story in STORIES:
            outcome = run_small(story, seed=seed)
            print(story, seed, outcome.verdict.value, outcome.digest)
