"""Runs a compiled function over parts of the lines at once; called by prices, repair, engine.

Results never depend on how many parts there are: each line writes its own places, and sums over
lines are whole numbers.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")

PARTS_PER_THREAD = 4
FEWEST_LINES = 2_000


def default_threads() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parts(count: int, threads: int) -> list[tuple[int, int]]:
    """Start and stop of each part; a few more than threads, so that none waits long."""
    number = max(1, min(threads * PARTS_PER_THREAD, count // FEWEST_LINES))
    edges = [count * part // number for part in range(number + 1)]
    return [(a, b) for a, b in pairwise(edges) if b > a]


def over_parts(work: Callable[[int, int], T], count: int, threads: int) -> list[T]:
    """`work(start, stop)` of every part, in order of the parts."""
    cut = parts(count, threads)
    if threads <= 1 or len(cut) <= 1:
        return [work(start, stop) for start, stop in cut]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda part: work(*part), cut))
