"""First proposals for whoever can have one: an auction on short lists, then further lists.

Some have hundreds of offers that are worth almost the same; a short list of the best of them may
be full for all. Who had such a list and is left over looks again, among offers that still have
room. Called by `shards.py` and `sampling.py`.
"""

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.auction import lots, reach_by_auction
from financing.matching.national.candidates import Candidates, State
from financing.matching.national.orders import Prices
from financing.matching.national.packing import Problem
from financing.matching.national.short_lists import LIST, joined, short_lists
from financing.matching.national.tables import Bool, Int32, Int64

MOST_LOOKS = 8
PARTS = 8
"""Lines that look again do so in parts that see somewhat different prices: who is indifferent
spreads over the offers instead of flooding the same few."""
SPREAD_PPM = 2_000
SPREAD = 0.3
"""How different: up to so much, and up to this share of a price."""


def reach(
    problem: Problem,
    lists: Candidates,
    prices: Prices,
    state: State,
    amounts: Int64,
    *,
    seed: int,
    threads: int,
) -> None:
    """Give first proposals to lines of `lists` that hold nothing; changes `state`, `amounts`."""
    for look in range(MOST_LOOKS):
        reach_by_auction(problem, lists, prices, state, amounts, seed=seed)
        left = lists.lines[np.diff(lists.start) >= LIST]
        left = left[unreached(problem, state.held)[left]]
        if not len(left) or look == MOST_LOOKS - 1:
            return
        lists = _spread_lists(problem, left, prices, state, look, seed=seed, threads=threads)


def _spread_lists(
    problem: Problem,
    lines: Int32,
    prices: Prices,
    state: State,
    look: int,
    *,
    seed: int,
    threads: int,
) -> Candidates:
    part = (lots(problem.data.requests["id"][lines], seed) % np.uint64(PARTS)).astype(np.int64)
    offers = np.arange(len(prices.fen_ppm), dtype=np.int64)
    parts, found = [], []
    for number in range(PARTS):
        mine = np.sort(lines[part == number])
        if not len(mine):
            continue
        drawn = lots(offers + (look * PARTS + number) * 1_000_003, seed) % np.uint64(PPM)
        share = drawn.astype(np.float64) / PPM
        more = share * (SPREAD_PPM + SPREAD * prices.fen_ppm)
        spread = Prices(prices.fen_ppm + more.astype(np.int64), prices.count_fen)
        lists, _ = short_lists(problem, mine, spread, state, seed=seed, threads=threads)
        parts.append(mine)
        found.append(lists)
    return joined(np.concatenate(parts), found)


def unreached(problem: Problem, held: Int32) -> Bool:
    """By line: nothing reaches it, and a proposal may."""
    requests = problem.data.requests
    free = (held < 0).all(axis=1) & (requests["is_reached"] == 0) & (requests["slots"] > 0)
    return np.asarray(free, dtype=np.bool_)
