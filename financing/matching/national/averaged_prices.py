"""Prices where offers are alike: steps along the average of what was asked; for `insurance_run.py`.

Insurers' offers often suit everybody alike, so at equal prices all requests turn to one offer and
back: a step of its own for each offer (`prices.py`) then stops far from the best prices. Here all
prices move at once, against the excess that requests asked for on average over the rounds (the
volume algorithm: Barahona and Anbil, 2000), with a step that aims a little below the best bound
seen. Offers count by shares of their rooms, so that large and small ones move alike.
"""

from collections.abc import Callable

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.best_set import MICRO
from financing.matching.national.candidates import Candidates, decide, open_state
from financing.matching.national.orders import Prices
from financing.matching.national.packing import NO_COUNT, Problem
from financing.matching.national.price_steps import MOST_PRICE_PPM
from financing.matching.national.prices import room_worth_micro
from financing.matching.national.problem import Float64

NEWEST = 0.2
"""Weight of the newest round in the average."""
AIM = 0.03
"""How far below the first bound the steps aim at first, as a share of it."""
MOST_COUNT_FEN = 2**52


class _Point:
    """Prices, the bound they prove and what is asked of each offer at them."""

    def __init__(self, problem: Problem, candidates: Candidates, prices: Prices, seed: int) -> None:
        found = decide(problem, candidates, prices, open_state(problem), seed=seed, listed=False)
        self.prices = prices
        self.dual_fen = (found.worth_micro + room_worth_micro(problem, prices)) / MICRO
        self.fen: Float64 = found.sums.fen.astype(np.float64)
        self.count: Float64 = found.sums.count.astype(np.float64)


def averaged_prices(
    problem: Problem,
    candidates: Candidates,
    *,
    seed: int,
    start: Prices,
    rounds: int,
    progress: Callable[[float], None],
) -> Prices:
    """The best prices seen, from `start` or from one price for all, whichever bounds better."""
    room = np.maximum(problem.room.astype(np.float64), 1.0)
    limited = problem.room_count < NO_COUNT
    pieces = np.where(limited, np.maximum(problem.room_count, 1), 1).astype(np.float64)
    best = _Point(problem, candidates, start, seed)
    level = one_price(problem, candidates, seed)
    if level.dual_fen < best.dual_fen:
        best = level
    aim = AIM * best.dual_fen
    fen, count, idle = best.fen, best.count, 0
    for _ in range(rounds):
        price, piece = best.prices.fen_ppm, best.prices.count_fen
        over = (fen - problem.room) / room
        over_count = np.where(limited, (count - problem.room_count) / pieces, 0.0)
        # A price at nothing falls no further.
        over = np.where((price <= 0) & (over < 0), 0.0, over)
        over_count = np.where((piece <= 0) & (over_count < 0), 0.0, over_count)
        length = float((over * over).sum() + (over_count * over_count).sum())
        if length == 0.0 or aim < 1.0:
            break
        step = aim / length
        moved = Prices(
            np.clip(price + step * over * PPM / room, 0, MOST_PRICE_PPM).astype(np.int64),
            np.where(
                limited, np.clip(piece + step * over_count / pieces, 0, MOST_COUNT_FEN), 0
            ).astype(np.int64),
        )
        point = _Point(problem, candidates, moved, seed)
        fen = NEWEST * point.fen + (1 - NEWEST) * fen
        count = NEWEST * point.count + (1 - NEWEST) * count
        if point.dual_fen < best.dual_fen - 1e-4 * aim:
            best, idle, aim = point, 0, aim * 1.1
            progress(best.dual_fen)
        else:
            idle += 1
            if idle == 8:
                idle, aim = 0, aim * 0.7
    return best.prices


def one_price(problem: Problem, candidates: Candidates, seed: int) -> _Point:
    """About the price per fen, the same for all offers, at which as much is asked as there is."""
    offers, total = len(problem.room), float(problem.room.sum())

    def at(price: int) -> _Point:
        prices = Prices(np.full(offers, price), np.zeros(offers, dtype=np.int64))
        return _Point(problem, candidates, prices, seed)

    low, high = 0, 1
    point = at(high)
    while point.fen.sum() > total and high < MOST_PRICE_PPM:
        low, high = high, min(high * 4, MOST_PRICE_PPM)
        point = at(high)
    while high - low > max(1, high // 200):
        middle = (low + high) // 2
        tried = at(middle)
        if tried.fen.sum() > total:
            low = middle
        else:
            high, point = middle, tried
    return point
