"""Requests that find something better in what room is left take it; called by `exchange.py`."""

import numpy as np

from financing.matching.national.compiled import bare
from financing.matching.national.holdings import Board, Held, worth
from financing.matching.national.problem import Float64
from financing.matching.national.tables import Int64
from financing.matching.national.threads import over_parts
from financing.matching.national.wishes import Log, Wish, make_log, make_wish, take, wish


def shift(board: Board, held: Held, price: Float64, piece: Float64, threads: int) -> int:
    """Changes `held`; gives how many changed. Who gains most at these prices goes first."""
    gain = np.zeros(len(held.pair))

    def work(begin: int, end: int) -> None:
        found = make_wish(board, held.pair.shape[1])
        _gains(begin, end, board, held, price, piece, found, gain)

    over_parts(work, len(held.pair), threads)
    lines = np.flatnonzero(gain > 1.0)
    order = lines[np.argsort(-gain[lines], kind="stable")]
    k = held.pair.shape[1]
    return _shift(order, board, held, price, piece, make_wish(board, k), make_log(1, k))


@bare
def _gains(
    begin: int,
    end: int,
    board: Board,
    held: Held,
    price: Float64,
    piece: Float64,
    found: Wish,
    gain: Float64,
) -> None:
    for n in range(begin, end):
        best = wish(n, board, held, price, piece, -1, -1, found)
        gain[n] = best - worth(n, board, held, price, piece)


@bare
def _shift(
    order: Int64,
    board: Board,
    held: Held,
    price: Float64,
    piece: Float64,
    found: Wish,
    log: Log,
) -> int:
    made = 0
    for at in range(len(order)):
        n = order[at]
        best = wish(n, board, held, price, piece, -1, -1, found)
        if best > worth(n, board, held, price, piece) + 1.0:
            take(n, board, held, found, log, 0)
            made += 1
    return made
