"""Allocation with each request's nearest pairs kept in memory; called by `engine.py`.

Up to some millions of requests. Prices from a sample (`sampling.py`) say which pairs are near;
these are balanced and settled as all pairs are where they are few (`in_memory.py`). The bound is
exact: all pairs are walked at the prices found.
"""

from financing.matching.columns import PPM
from financing.matching.national.balance import Phase
from financing.matching.national.best_set import MICRO
from financing.matching.national.candidates import open_state
from financing.matching.national.churn import Kept, with_bonus
from financing.matching.national.in_memory import Progress, with_pairs
from financing.matching.national.near_pairs import near_pairs
from financing.matching.national.orders import Prices
from financing.matching.national.packing import Problem
from financing.matching.national.prices import room_worth_micro
from financing.matching.national.repair import Given
from financing.matching.national.sampling import begin_on_sample
from financing.matching.national.tables import Int32
from financing.matching.national.walk import walk

SAMPLE = 150_000
NEAR = 24
"""Pairs kept of each request, of each order of worth."""
PLAN = (Phase(PPM, 24, 1e-4, 5e-4),)
"""What a sample has wrong is little."""


def with_near_pairs(
    problem: Problem,
    lines: Int32,
    kept: Kept | None,
    begin: Prices,
    seed: int,
    threads: int,
    tell: Progress,
) -> tuple[Prices, int, Given]:
    """As `with_pairs`; `kept`: what was proposed before weighs more where its pair is near."""
    begun = begin_on_sample(
        problem,
        lines,
        begin,
        count=problem.count,
        seed=seed,
        threads=threads,
        most=SAMPLE,
        tell=lambda: tell("prices on a sample", 0.0),
    )
    learned = begun.prices.rounded()
    tell("pairs", 0.0)
    candidates = near_pairs(problem, lines, learned, most=NEAR, threads=threads)
    chosen = candidates if kept is None else with_bonus(candidates, kept)
    prices, _, given = with_pairs(problem, candidates, chosen, learned, PLAN, seed, threads, tell)
    tell("bound", 0.0)
    walked = walk(
        problem, lines, prices, open_state(problem), seed=seed, listed=False, threads=threads
    )
    bound_micro = walked.worth_micro + room_worth_micro(problem, prices)
    tell("bound", bound_micro / MICRO)
    return prices, bound_micro, given
