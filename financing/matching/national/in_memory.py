"""Allocation with every fitting pair kept in memory; called by `engine.py` where they are few."""

from collections.abc import Callable

import numpy as np

from financing.matching.national.balance import Balanced, balance, phases
from financing.matching.national.best_set import MICRO
from financing.matching.national.candidates import Candidates, decide, open_state
from financing.matching.national.exchange import exchange
from financing.matching.national.orders import Prices
from financing.matching.national.packing import Problem
from financing.matching.national.repair import Given, accept
from financing.matching.national.tables import Int64

Progress = Callable[[str, float], None]


def with_all_pairs(
    problem: Problem,
    candidates: Candidates,
    chosen: Candidates,
    begin: Prices,
    seed: int,
    threads: int,
    tell: Progress,
) -> tuple[Prices, int, Given]:
    """Prices, bound (micro-fen) and what each packed request is given.

    `candidates`: all pairs of all lines; `chosen`: the same with the worths by which they are
    chosen (churn.py), which prices and bound do not look at.
    """
    balanced = balance(
        problem,
        candidates,
        phases(problem.count, is_warm=bool(begin.fen_ppm.any())),
        begin,
        seed=seed,
        threads=threads,
        progress=lambda bound: tell("prices", bound),
    )
    tell("repair", balanced.dual_micro / MICRO)
    given = _first_come(problem, chosen, balanced, seed, threads)
    exchange(problem, chosen, balanced.prices, given, threads=threads)
    return balanced.prices, balanced.dual_micro, given


def _first_come(
    problem: Problem, candidates: Candidates, balanced: Balanced, seed: int, threads: int
) -> Given:
    """Everybody's best set under the blur; whose loss is least leaves a room asked for too much."""
    state = open_state(problem, keeps=True)
    given = Given(state.held, np.zeros(state.held.shape, dtype=np.int64))
    moved = np.rint(balanced.width * balanced.blur * candidates.amount).astype(np.int64)
    # The lottery makes nothing of worth out of what is worth nothing as a further proposal.
    moved = np.where(candidates.further_fen > 0, moved, np.maximum(moved, 0))

    def blurred(worth: Int64) -> Int64:
        return worth - moved if len(worth) else worth

    bids = decide(
        problem,
        candidates._replace(
            further_fen=blurred(candidates.further_fen), first_fen=blurred(candidates.first_fen)
        ),
        balanced.prices,
        state,
        seed=seed,
        listed=True,
        threads=threads,
    )
    if bids.taken is not None:
        accept(problem, candidates, None, bids.taken, state, given, threads)
    return given
