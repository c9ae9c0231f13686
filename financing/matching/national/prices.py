"""Prices of the offers' room, learned on samples and then on all requests; called by `engine.py`.

For any prices >= 0 the dual value bounds every allocation (bounds.py); good prices make the bound
tight and tell the repair who values the room most. Each round every request decides alone, and a
price moves by the sign of use - room, with a step of its own that grows while the sign holds and is
halved when it flips (MATCHING §3).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.choices import MICRO, Sums, decide, open_state
from financing.matching.national.orders import Orders, Prices, make_orders, no_prices
from financing.matching.national.packing import NO_COUNT, Problem
from financing.matching.national.problem import Float64
from financing.matching.national.tables import Int32, Int64

MOST_PRICE_PPM = 9_000_000_000
GROW, SHRINK = 1.25, 0.5
SORT_EVERY = 4
"""Rounds after which the orders are sorted again; between, only their bounds are made anew."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Rounds on a share of the requests, and the first step as a share of the usual price."""

    sample_ppm: int
    rounds: int
    step: float


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """The best prices seen on all requests, and the bound they prove, in micro-fen."""

    prices: Prices
    orders: Orders
    dual_micro: int
    rounds: int


def stages(count: int) -> tuple[Stage, ...]:
    """Small samples where they still say something, then all requests a few times."""
    plan = []
    if count >= 400_000:
        plan.append(Stage(10_000, 45, 0.05))
    if count >= 50_000:
        plan.append(Stage(100_000, 40 if count < 400_000 else 15, 0.01 if plan else 0.05))
    plan.append(Stage(PPM, 6 if count >= 400_000 else 25 if plan else 80, 0.003 if plan else 0.05))
    return tuple(plan)


def sample(problem: Problem, share_ppm: int, seed: int) -> Int32:
    """Packed places of a share of the requests, drawn by their ids, rising."""
    if share_ppm >= PPM:
        return np.arange(problem.count, dtype=np.int32)
    ids = problem.data.requests["id"].astype(np.uint64)
    x = (ids + np.uint64(seed & (2**63 - 1))) * np.uint64(0x9E3779B97F4A7C15)
    x ^= x >> np.uint64(29)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(32)
    drawn = x % np.uint64(PPM) < np.uint64(share_ppm)
    return np.flatnonzero(drawn).astype(np.int32)


def learn(
    problem: Problem,
    *,
    seed: int,
    start: Prices | None = None,
    threads: int = 1,
    plan: tuple[Stage, ...] | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Learned:
    """Prices for the whole problem, from `start` (the last run's) or from none."""
    prices = start if start is not None else no_prices(problem)
    best: Learned | None = None
    rounds = 0
    for stage in plan or stages(problem.count):
        lines = sample(problem, stage.sample_ppm, seed)
        share = len(lines) / max(1, problem.count)
        is_whole = stage.sample_ppm >= PPM
        mover = Mover(problem, share, stage.step)
        state = open_state(problem)
        orders: Orders | None = None
        for number in range(stage.rounds):
            before = orders if orders is not None and number % SORT_EVERY else None
            orders = make_orders(problem, prices, before=before, threads=threads)
            found = decide(
                problem, lines, prices, orders, state, seed=seed, listed=False, threads=threads
            )
            rounds += 1
            if is_whole:
                dual = found.worth_micro + room_worth_micro(problem, prices)
                if best is None or dual < best.dual_micro:
                    best = Learned(prices, orders, dual, rounds)
                if progress is not None:
                    progress("prices", dual / MICRO)
            prices = mover.moved(prices, found.sums)
    if best is None:
        raise ValueError("the last stage must look at all requests")
    orders = make_orders(problem, best.prices, threads=threads)
    return Learned(best.prices, orders, best.dual_micro, rounds)


def room_worth_micro(problem: Problem, prices: Prices) -> int:
    """What the prices make of the rooms: the part of the bound that is not the requests'."""
    fen = sum(int(p) * int(r) for p, r in zip(prices.fen_ppm, problem.room, strict=True) if p)
    pieces = zip(prices.count_fen, problem.room_count, strict=True)
    return fen + sum(int(p) * MICRO * int(count) for p, count in pieces if p)


class Mover:
    """Moves prices round by round on one sample."""

    def __init__(self, problem: Problem, share: float, step: float) -> None:
        requests = problem.data.requests
        usual = float(np.median(requests["coverage"] / requests["principal"])) * PPM
        offers = len(problem.room)
        self._room = problem.room * share
        self._count = np.where(problem.room_count == NO_COUNT, np.inf, problem.room_count * share)
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
