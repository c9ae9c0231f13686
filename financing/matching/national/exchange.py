"""Better holders for the rooms of an allocation, at falling prices; called by `in_memory.py`.

Where an offer's room holds some tens of loans, who gets the last places is worth more than prices
can say. First everybody looks for something better in what is left, then each priced room is filled
anew (`refill.py`). A fen of room that gets free counts a share of its price: near 1 at first, since
somebody will fill it, nothing in the end.
"""

import numpy as np

from financing.matching.national.candidates import Candidates
from financing.matching.national.holdings import make_board, take_stock, total_worth, write_back
from financing.matching.national.orders import Prices
from financing.matching.national.packing import Problem
from financing.matching.national.refill import LEAST_SHARE, make_asking, refill
from financing.matching.national.repair import Given
from financing.matching.national.shifts import shift
from financing.matching.national.wishes import Log, make_wish

SHIFTS = (1.0, 0.98)
REFILLS = (0.97, 0.9, 0.8, 0.5, 0.0)
LAST_SHIFTS = (0.0, 0.0)


def exchange(
    problem: Problem, candidates: Candidates, prices: Prices, given: Given, *, threads: int = 1
) -> None:
    """Changes `given` within rooms, institutions and k, unless it was worth more before."""
    board = make_board(problem, candidates)
    held = take_stock(problem, candidates, given)
    k = given.offer.shape[1]
    found, asking = make_wish(board, k), make_asking(board)
    # Each of those asking can leave and take k pairs, twice.
    size = 4 * k * (len(asking.gain) + 1)
    log = Log(np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64))
    price, piece = prices.fen_ppm / 1e6, prices.count_fen.astype(np.float64)
    nothing = np.zeros(len(price))
    before = total_worth(board, held, nothing, nothing)
    for share in SHIFTS:
        shift(board, held, price * share, piece * share, log, threads)
    for share in REFILLS:
        # Where most is left, most can be gained; then in order of the offers.
        order = np.argsort(-price * held.left, kind="stable")
        priced = order[(price[order] > 0) | (piece[order] > 0)]
        least = LEAST_SHARE * price
        now, pieces = price * share, piece * share
        refill(priced, least, board, held, now, pieces, asking, found, log)
    for share in LAST_SHIFTS:
        shift(board, held, price * share, piece * share, log, threads)
    if total_worth(board, held, nothing, nothing) > before:
        write_back(candidates, held, given)
