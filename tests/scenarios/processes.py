"""Runs modules in processes of their own, each with its own order of hashes."""

import os
import subprocess
import sys

HASH_SEEDS = ("11", "4242")


def in_two_processes(*arguments: str) -> list[str]:
    """Standard output of `python ARGUMENTS` under two values of `PYTHONHASHSEED`, side by side."""
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", *arguments],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for hash_seed in HASH_SEEDS
    ]
    outputs = []
    for process in started:
        output, errors = process.communicate()
        assert 0 == process.returncode, errors
        outputs.append(output)
    return outputs
