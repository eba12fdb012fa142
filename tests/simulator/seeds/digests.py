"""Prints what a story saw, as one digest a seed.

python -m tests.simulator.seeds.digests STORY FIRST LAST
"""

import logging
import sys
from collections.abc import Callable, Sequence

from tests.simulator.seeds import blocking, coroutines
from tests.simulator.seeds.plan import Seen

STORIES: dict[str, Callable[[int], Seen]] = {
    "coroutines": coroutines.story,
    "blocking": blocking.story,
}


def main(arguments: Sequence[str]) -> None:
    """Live through a story for each seed from the first to the last."""
    name, first, last = arguments
    logging.disable()
    for seed in range(int(first), int(last) + 1):
        print(name, seed, STORIES[name](seed).digest(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
