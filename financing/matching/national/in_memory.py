"""Allocation with every fitting pair kept in memory; called by `engine.py` where they are few."""

from collections.abc import Callable

from financing.matching.national.best_set import MICRO
from financing.matching.national.candidates import Candidates
from financing.matching.national.orders import Prices
from financing.matching.national.packing import Problem
from financing.matching.national.polish import polish
from financing.matching.national.prices import Stage, learn
from financing.matching.national.repair import Given, fill, repair, state_after

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
    learned = learn(
        problem,
        candidates,
        _stages(problem.count, is_warm=bool(begin.fen_ppm.any())),
        seed=seed,
        start=begin,
        threads=threads,
        progress=lambda bound: tell("prices", bound),
    )
    tell("repair", learned.dual_micro / MICRO)
    given = repair(problem, chosen, learned.prices, seed=seed, threads=threads)
    _polished(problem, chosen, learned.prices, given, seed, threads)
    return learned.prices, learned.dual_micro, given


def _stages(count: int, *, is_warm: bool) -> tuple[Stage, ...]:
    """Rounds on a quarter of the requests where they are many, then on all of them."""
    if is_warm:
        return (Stage(1_000_000, 40, 0.003),)
    if count < 50_000:
        return (Stage(1_000_000, 100, 0.05),)
    return (Stage(250_000, 60, 0.05), Stage(1_000_000, 45, 0.003))


def _polished(
    problem: Problem,
    candidates: Candidates,
    prices: Prices,
    given: Given,
    seed: int,
    threads: int,
) -> None:
    """Exchanges, then what room they left, in turn."""
    for _ in range(2):
        if not polish(problem, candidates, prices, given):
            break
        state = state_after(problem, given)
        fill(problem, candidates, prices, state, given, seed=seed, threads=threads)
