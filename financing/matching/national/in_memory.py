"""Allocation of pairs kept in memory; called by `engine.py`, insurance, `near_memory.py`."""

from collections.abc import Callable, Sequence

from financing.matching.national.balance import Phase, balance
from financing.matching.national.best_set import MICRO
from financing.matching.national.candidates import Candidates
from financing.matching.national.exchange import exchange
from financing.matching.national.orders import Prices
from financing.matching.national.packing import Problem
from financing.matching.national.repair import Given

Progress = Callable[[str, float], None]


def with_pairs(
    problem: Problem,
    candidates: Candidates,
    chosen: Candidates,
    begin: Prices,
    plan: Sequence[Phase],
    seed: int,
    threads: int,
    tell: Progress,
) -> tuple[Prices, int, Given]:
    """Prices, bound (micro-fen) and what each packed request is given.

    `candidates`: pairs of all lines, to which the bound applies; `chosen`: the same with the worths
    by which they are chosen (churn.py), which prices and bound do not look at.
    """
    balanced = balance(
        problem,
        candidates,
        plan,
        begin,
        seed=seed,
        threads=threads,
        progress=lambda bound: tell("prices", bound),
    )
    tell("repair", balanced.dual_micro / MICRO)
    given = exchange(problem, chosen, balanced, threads=threads)
    return balanced.prices, balanced.dual_micro, given
