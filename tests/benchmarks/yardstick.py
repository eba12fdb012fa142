"""How fast the machine is just now, and clocks that stay real in a virtual world.

A figure is to be compared between machines and days by its ratio to the yardstick, not in seconds:
on a machine that others use too, the same work takes several times as long as on a quiet one.
"""

import time

ITERATIONS = 3_000_000

REAL_CLOCKS = (time.perf_counter, time.thread_time)
"""Wall and processor seconds. In a virtual world, names show its time; a tuple keeps the real."""


def yardstick_s() -> float:
    """Wall seconds that a fixed piece of plain Python takes now."""
    wall, _cpu = REAL_CLOCKS
    began_s = wall()
    total = 0
    for number in range(ITERATIONS):
        total += number & 7
    assert total
    return wall() - began_s


def print_yardstick() -> None:
    """The line under a table that says how fast the machine was."""
    print(f"yardstick {yardstick_s():.3f} s")
