"""The best few candidates of each request at some prices; called by `shards.py`, `sampling.py`.

Found on a walk, portion by portion: what a walk writes down per line is many times what is kept.
"""

import numpy as np

from financing.matching.national.best_set import MICRO, Sums, no_sums
from financing.matching.national.candidates import Candidates, State
from financing.matching.national.orders import Prices, is_plain
from financing.matching.national.packing import Problem
from financing.matching.national.tables import Int32
from financing.matching.national.walk import no_short, short_candidates, walk

PORTION = 250_000
LIST = 8
"""Candidates of a short list."""


def short_lists(
    problem: Problem,
    lines: Int32,
    prices: Prices,
    state: State,
    *,
    seed: int,
    threads: int,
    most: int = LIST,
) -> tuple[Candidates, Sums]:
    """Up to `most` candidates of each line among offers whose room takes it, and the sums of what
    the lines would take."""
    plain = is_plain(problem)
    total = no_sums(len(problem.room))
    found = []
    for start in range(0, max(1, len(lines)), PORTION):
        some = lines[start : start + PORTION]
        short = no_short(len(some), most)
        walked = walk(
            problem,
            some,
            prices,
            state,
            seed=seed,
            listed=False,
            short=short,
            threads=threads,
        )
        for sums, more in zip(total, walked.sums, strict=True):
            sums += more
        found.append(short_candidates(some, short, plain=plain))
    return joined(lines, found), total


def joined(lines: Int32, found: list[Candidates]) -> Candidates:
    """Lists of portions as one."""
    if len(found) == 1:
        return found[0]
    sizes = [int(one.start[-1]) for one in found]
    places = np.cumsum([0, *sizes[:-1]])
    start = [one.start[:-1] + place for one, place in zip(found, places, strict=True)]
    return Candidates(
        lines,
        np.concatenate([*start, np.array([sum(sizes)], dtype=np.int64)]),
        np.concatenate([one.offer for one in found]),
        np.concatenate([one.amount for one in found]),
        np.concatenate([one.further_fen for one in found]),
        np.concatenate([one.first_fen for one in found]),
    )


def worth_micro(sums: Sums) -> int:
    """Exact, beyond 64 bits where it must be."""
    return int(sums.totals[0]) * MICRO + int(sums.totals[1])
