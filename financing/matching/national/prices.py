"""Prices of rooms moved by the sign of use - room; called by `repair.py`. Samples by ids.

For any prices >= 0 the dual value bounds every allocation (bounds.py). Each round every request
decides alone, and a price moves by the sign of use - room, with a step of its own that grows while
the sign holds and is halved when it flips (MATCHING §3).
"""

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.best_set import Sums
from financing.matching.national.orders import Prices
from financing.matching.national.packing import NO_COUNT, Problem
from financing.matching.national.price_steps import MOST_PRICE_PPM, rooms_worth_micro
from financing.matching.national.problem import Float64
from financing.matching.national.tables import Int32, Int64

GROW, SHRINK = 1.25, 0.5


def draw(problem: Problem, lines: Int32, share_ppm: int, seed: int) -> Int32:
    """Places in `lines` of a share of them, drawn by the ids of the requests, rising."""
    return drawn(problem.data.requests["id"][lines], share_ppm, seed)


def drawn(ids: Int64, share_ppm: int, seed: int) -> Int32:
    """Places of a share of these ids, rising; each is drawn or not whatever the others are."""
    if share_ppm >= PPM:
        return np.arange(len(ids), dtype=np.int32)
    x = (ids.astype(np.uint64) + np.uint64(seed & (2**63 - 1))) * np.uint64(0x9E3779B97F4A7C15)
    x ^= x >> np.uint64(29)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(32)
    return np.flatnonzero(x % np.uint64(PPM) < np.uint64(share_ppm)).astype(np.int32)


def room_worth_micro(problem: Problem, prices: Prices) -> int:
    """What the prices make of the rooms: the part of the bound that is not the requests'."""
    return rooms_worth_micro(problem.room, problem.room_count, prices)


class Mover:
    """Moves prices round by round for these rooms (fen, count by offer), from steps of `step` times
    the usual price on."""

    def __init__(self, problem: Problem, step: float, rooms: tuple[Int64, Int64]) -> None:
        requests = problem.data.requests
        usual = float(np.median(requests["coverage"] / requests["principal"])) * PPM
        offers = len(problem.room)
        self._room, count = rooms
        self._count = np.where(count > NO_COUNT // 2, np.inf, count)
        self._steps: Float64 = np.full(offers, max(usual * step, 2.0))
        self._signs: Int64 = np.zeros(offers, dtype=np.int64)
        # A price per proposal is of the order of what a business is worth reaching.
        self._fen_per_ppm = float(np.median(requests["coverage"])) / max(usual, 1.0)

    def moved(self, prices: Prices, use: Sums) -> Prices:
        over_fen, over_count = use.fen > self._room, use.count > self._count
        signs = np.where(over_fen | over_count, 1, -1)
        kept = (signs == self._signs) | (self._signs == 0)
        self._steps = np.maximum(self._steps * np.where(kept, GROW, SHRINK), 1.0)
        # A price at nothing that stays there starts afresh, not with a step grown in idleness.
        idle = (signs < 0) & (prices.fen_ppm == 0) & (prices.count_fen == 0)
        self._signs = np.where(idle, 0, signs)
        self._steps = np.where(idle, np.minimum(self._steps / GROW, self._steps), self._steps)
        fen = prices.fen_ppm + np.where(over_fen | (signs < 0), signs * self._steps, 0.0)
        limited = np.isfinite(self._count)
        count = prices.count_fen + np.where(
            limited & (over_count | (signs < 0)), signs * self._steps * self._fen_per_ppm, 0.0
        )
        return Prices(
            np.clip(fen, 0, MOST_PRICE_PPM).astype(np.int64),
            np.clip(count, 0, 2**52).astype(np.int64),
        )
