"""Each request's pairs that are best at some prices, of all its pairs; for `near_memory.py`.

A walk stops where nothing later can be taken at its prices; prices that are still to move need to
know what comes next. So all pairs are listed, portion by portion, and the best of each line kept.
"""

import numpy as np

from financing.matching.national.best_set import MICRO
from financing.matching.national.candidates import Candidates, all_candidates
from financing.matching.national.compiled import compiled
from financing.matching.national.orders import Prices, is_plain
from financing.matching.national.packing import Problem
from financing.matching.national.tables import Bool, Int32, Int64
from financing.matching.national.threads import over_parts

PORTION = 40_000


def near_pairs(
    problem: Problem, lines: Int32, prices: Prices, *, most: int, threads: int
) -> Candidates:
    """Of each line the `most` pairs worth most at these prices as the first proposal, and as many
    worth most as a further one where that is another order."""
    plain = is_plain(problem)
    found = []
    for start in range(0, max(1, len(lines)), PORTION):
        pairs = all_candidates(problem, lines[start : start + PORTION], threads)
        kept = np.zeros(len(pairs.offer), dtype=np.bool_)
        orders = (pairs.further_fen,) if plain else (pairs.further_fen, pairs.first_fen)
        for worth_fen in orders:
            _mark(pairs, worth_fen, prices, most, kept, threads)
        before = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(kept)])
        found.append(
            Candidates(
                pairs.lines,
                before[pairs.start],
                pairs.offer[kept],
                pairs.amount[kept],
                pairs.further_fen[kept],
                pairs.first_fen if plain else pairs.first_fen[kept],
            )
        )
    return joined(lines, found)


def _mark(
    pairs: Candidates, worth_fen: Int64, prices: Prices, most: int, kept: Bool, threads: int
) -> None:
    def work(start: int, stop: int) -> None:
        _keep(
            start,
            stop,
            pairs.start,
            pairs.offer,
            pairs.amount,
            worth_fen,
            prices.fen_ppm,
            prices.count_fen,
            most,
            kept,
        )

    over_parts(work, len(pairs.lines), threads)


@compiled
def _keep(
    first: int,
    last: int,
    starts: Int64,
    offer: Int32,
    amount: Int64,
    worth_fen: Int64,
    price_fen: Int64,
    price_count: Int64,
    most: int,
    kept: Bool,
) -> None:
    for n in range(first, last):
        a, b = starts[n], starts[n + 1]
        if b - a <= most:
            kept[a:b] = True
            continue
        worth = np.empty(b - a, dtype=np.float64)
        for x in range(a, b):
            j = offer[x]
            cost = float(price_fen[j]) * float(amount[x]) / MICRO + float(price_count[j])
            worth[x - a] = cost - float(worth_fen[x])
        places = np.argsort(worth, kind="mergesort")
        for y in range(most):
            kept[a + places[y]] = True


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
