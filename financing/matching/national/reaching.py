"""First proposals for whoever can have one: an auction on short lists, then further lists.

Some have hundreds of offers that are worth almost the same; a short list of the best of them may
be full for all. Who had such a list and is left over looks again, among offers that still have
room. Called by `shards.py` and `sampling.py`.
"""

import numpy as np

from financing.matching.national.auction import reach_by_auction
from financing.matching.national.candidates import Candidates, State
from financing.matching.national.orders import Prices
from financing.matching.national.packing import Problem
from financing.matching.national.short_lists import LIST, short_lists
from financing.matching.national.tables import Int32, Int64

MOST_LOOKS = 12


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
    for _ in range(MOST_LOOKS):
        reach_by_auction(problem, lists, prices, state, amounts, seed=seed)
        full = np.diff(lists.start) >= LIST
        left = lists.lines[full]
        left = left[unreached(problem, state.held)[left]]
        if not len(left):
            return
        lists, _ = short_lists(problem, left, prices, state, seed=seed, threads=threads)


def unreached(problem: Problem, held: Int32) -> np.ndarray:
    """By line: nothing reaches it, and a proposal may."""
    requests = problem.data.requests
    return (held < 0).all(axis=1) & (requests["is_reached"] == 0) & (requests["slots"] > 0)
