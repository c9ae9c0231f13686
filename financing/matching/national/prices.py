"""Prices of the offers' room, learned on samples and then on all requests; called by `engine.py`.

For any prices >= 0 the dual value bounds every allocation (bounds.py); good prices make the bound
tight and tell the repair who values the room most. Each round every request decides alone, and a
price moves by the sign of use - room, with a step of its own that grows while the sign holds and is
halved when it flips (MATCHING §3).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.best_set import MICRO, Sums
from financing.matching.national.candidates import Candidates, decide, open_state
from financing.matching.national.orders import Prices, no_prices
from financing.matching.national.packing import NO_COUNT, Problem
from financing.matching.national.price_steps import rooms_worth_micro
from financing.matching.national.problem import Float64
from financing.matching.national.tables import Int32, Int64

MOST_PRICE_PPM = 9_000_000_000
GROW, SHRINK = 1.25, 0.5


@dataclass(frozen=True, slots=True)
class Stage:
    """Rounds on a share of the requests, and the first step as a share of the usual price."""

    sample_ppm: int
    rounds: int
    step: float


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """The best prices seen on all the lines given, and the bound they prove, in micro-fen."""

    prices: Prices
    dual_micro: int
    rounds: int


SMALL_SAMPLE = Stage(100_000, 40, 0.05)
"""Where requests are some ten thousands or more, most of the way is gone on a tenth of them."""


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


def learn(
    problem: Problem,
    candidates: Candidates,
    stages: Sequence[Stage],
    *,
    seed: int,
    start: Prices | None = None,
    threads: int = 1,
    progress: Callable[[float], None] | None = None,
    share: float | None = None,
) -> Learned:
    """Prices for the rooms in proportion to the lines of `candidates`, from `start` or from none.

    The best of the last stage's rounds; `progress` hears each round's bound in fen. `share`: of
    the run's requests that these lines are, where the problem holds a sample only.
    """
    prices = start if start is not None else no_prices(problem)
    best: Learned | None = None
    state, rounds = open_state(problem), 0
    if share is None:
        share = len(candidates.lines) / max(1, problem.count)
    for stage in stages:
        drawn = draw(problem, candidates.lines, stage.sample_ppm, seed)
        part = share * len(drawn) / max(1, len(candidates.lines))
        active = None if stage.sample_ppm >= PPM else drawn
        mover = Mover(problem, part, stage.step, lines=candidates.lines)
        best = None
        for _ in range(stage.rounds):
            found = decide(
                problem,
                candidates,
                prices,
                state,
                seed=seed,
                listed=False,
                active=active,
                threads=threads,
            )
            rounds += 1
            dual = found.worth_micro + int(room_worth_micro(problem, prices) * part)
            if best is None or dual < best.dual_micro:
                best = Learned(prices, dual, rounds)
            if progress is not None:
                progress(dual / MICRO)
            prices = mover.moved(prices, found.sums)
        prices = best.prices if best is not None else prices
    if best is None:
        raise ValueError("at least one stage of at least one round")
    return best


def room_worth_micro(problem: Problem, prices: Prices) -> int:
    """What the prices make of the rooms: the part of the bound that is not the requests'."""
    return rooms_worth_micro(problem.room, problem.room_count, prices)


class Mover:
    """Moves prices round by round on one sample."""

    def __init__(
        self,
        problem: Problem,
        share: float,
        step: float,
        rooms: tuple[Int64, Int64] | None = None,
        lines: Int32 | None = None,
    ) -> None:
        requests = problem.data.requests
        if lines is not None:
            # A sample is the same one whether the others are packed beside it or not.
            requests = requests[lines]
        usual = float(np.median(requests["coverage"] / requests["principal"])) * PPM
        offers = len(problem.room)
        room, count = rooms if rooms is not None else (problem.room, problem.room_count)
        self._room = room * share
        self._count = np.where(count > NO_COUNT // 2, np.inf, count * share)
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
