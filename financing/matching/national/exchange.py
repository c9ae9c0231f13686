"""Whole loans within rooms from balanced prices; called by `in_memory.py`.

Offers are settled one after the other (`settling.py`). Then each priced room is filled anew, where
what gets free elsewhere counts nothing, and everybody looks for something better in what is left.
"""

import numpy as np

from financing.matching.national.asking import who_asks
from financing.matching.national.balance import Balanced
from financing.matching.national.candidates import Candidates
from financing.matching.national.holdings import make_board, nobody, write_back
from financing.matching.national.packing import Problem
from financing.matching.national.refill import LEAST_SHARE, refill
from financing.matching.national.repair import Given
from financing.matching.national.settling import in_order_of_turns, settle, turns_of
from financing.matching.national.shifts import shift
from financing.matching.national.wishes import make_wish

SHIFTS = 2


def exchange(
    problem: Problem, candidates: Candidates, balanced: Balanced, *, threads: int = 1
) -> Given:
    """What each packed request is given, within rooms, institutions and k."""
    board = make_board(problem, candidates)
    turns = turns_of(board, balanced.prices)
    board, blur = in_order_of_turns(board, balanced.blur, turns, threads)
    held = nobody(problem, len(candidates.lines))
    k = held.pair.shape[1]
    found = make_wish(board, k)
    settle(problem, balanced.prices, blur, board, held, turns, found, threads)
    price = balanced.prices.fen_ppm / 1e6
    # Where most is left, most can be gained; then in order of the offers.
    order = np.argsort(-price * held.left, kind="stable")
    priced = order[(price[order] > 0) | (balanced.prices.count_fen[order] > 0)]
    nothing = np.zeros(len(price))
    least = LEAST_SHARE * price
    asking = who_asks(priced, least, board, held, nothing, nothing, threads)
    refill(priced, least, 1.0, board, held, nothing, nothing, asking, found)
    for _ in range(SHIFTS):
        shift(board, held, nothing, nothing, threads)
    given = Given(
        np.full((problem.count, k), -1, dtype=np.int32),
        np.zeros((problem.count, k), dtype=np.int64),
    )
    write_back(candidates.lines, board, held, given)
    return given
