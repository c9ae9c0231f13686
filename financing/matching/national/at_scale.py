"""Allocation where pairs are too many to keep: short lists; called by `engine.py`."""

from collections.abc import Callable

from financing.matching.national.best_set import MICRO
from financing.matching.national.candidates import Candidates, State, all_candidates, open_state
from financing.matching.national.orders import Prices, is_plain, make_orders
from financing.matching.national.packing import Problem
from financing.matching.national.prices import Stage, draw, learn, room_worth_micro
from financing.matching.national.repair import Given, fill, repair, state_after
from financing.matching.national.tables import Int32
from financing.matching.national.walk import no_short, short_candidates, walk

Progress = Callable[[str, float], None]


def with_short_lists(
    problem: Problem, lines: Int32, begin: Prices, seed: int, threads: int, tell: Progress
) -> tuple[Prices, int, Given]:
    """Prices from samples, then the best few pairs of every request, then the exact bound."""
    prices = begin
    # So many requests that every offer meets some tens of them, whatever their number in all.
    for sampled, rounds, step in ((100_000, 60, 0.05), (300_000, 30, 0.004)):
        share = min(1_000_000, sampled * 1_000_000 // problem.count)
        some = lines[draw(problem, lines, share, seed)]
        tell("prices on a sample", 0.0)
        sample = all_candidates(problem, some, threads)
        plan = (Stage(1_000_000, rounds, step),)
        prices = learn(problem, sample, plan, seed=seed, start=prices, threads=threads).prices
        del sample
    tell("short lists", 0.0)
    candidates = _short_lists(problem, lines, prices, open_state(problem), seed, threads)
    learned = learn(
        problem,
        candidates,
        (Stage(1_000_000, 12, 0.001),),
        seed=seed,
        start=prices,
        threads=threads,
        progress=lambda bound: tell("prices", bound),
    )
    prices = learned.prices
    tell("bound", 0.0)
    orders = make_orders(problem, prices, threads=threads)
    exact = walk(
        problem,
        lines,
        prices,
        orders,
        open_state(problem),
        seed=seed,
        listed=False,
        threads=threads,
    )
    bound_micro = exact.worth_micro + room_worth_micro(problem, prices)
    tell("repair", bound_micro / MICRO)
    given = repair(problem, candidates, prices, seed=seed, threads=threads)
    # Who is not served yet looks beyond the short list, at what is left.
    state = state_after(problem, given)
    free = lines[(given.offer < 0).all(axis=1)]
    more = _short_lists(problem, free, prices, state, seed, threads)
    fill(problem, more, prices, state, given, seed=seed, threads=threads)
    return prices, bound_micro, given


def _short_lists(
    problem: Problem, lines: Int32, prices: Prices, state: State, seed: int, threads: int
) -> Candidates:
    short = no_short(len(lines))
    walk(
        problem,
        lines,
        prices,
        make_orders(problem, prices, threads=threads),
        state,
        seed=seed,
        listed=False,
        short=short,
        threads=threads,
    )
    return short_candidates(lines, short, plain=is_plain(problem))
