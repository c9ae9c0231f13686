"""Allocation where pairs are too many to keep: shard after shard; called by `engine.py`.

The same rounds as a run over several workers (`rounds.py`), in one process.
"""

from collections.abc import Callable

from financing.matching.national.candidates import all_candidates
from financing.matching.national.orders import Prices
from financing.matching.national.packing import Problem
from financing.matching.national.price_steps import usual_worth
from financing.matching.national.prices import Stage, draw, learn
from financing.matching.national.repair import Given
from financing.matching.national.rounds import Conductor, Plan
from financing.matching.national.shards import answer, nothing_given, shards_of
from financing.matching.national.tables import Int32

Progress = Callable[[str, float], None]

SAMPLES = ((100_000, 60, 0.05), (300_000, 30, 0.004))
"""Requests, rounds and first step of the samples prices are learned on, one after the other."""


def with_short_lists(
    problem: Problem, lines: Int32, begin: Prices, seed: int, threads: int, tell: Progress
) -> tuple[Prices, int, Given]:
    """Prices, bound (micro-fen) and what each packed request is given."""
    tell("prices on a sample", 0.0)
    prices, usual_ppm, usual_fen = sample_prices(problem, lines, begin, seed, threads)
    given = nothing_given(problem)
    shards = shards_of(problem, given, seed, threads)
    conductor = Conductor.begin(
        len(shards), problem.room, problem.room_count, prices, usual_ppm, usual_fen, Plan()
    )
    while not conductor.done:
        tell(conductor.stage, float(conductor.bound_fen))
        conductor.tell([answer(one, conductor.question_for(one.number)) for one in shards])
    return conductor.prices, conductor.bound_micro, given


def sample_prices(
    problem: Problem, lines: Int32, begin: Prices, seed: int, threads: int
) -> tuple[Prices, int, int]:
    """Prices learned on a part of the requests drawn by their ids, and their usual worth.

    What `Conductor.begin` starts from. The part fits one process, whatever the number in all.
    """
    prices = begin
    usual = (1, 1)
    for sampled, rounds, step in SAMPLES:
        share = min(1_000_000, sampled * 1_000_000 // max(1, problem.count))
        some = lines[draw(problem, lines, share, seed)]
        usual = usual_worth(problem.data.requests[some])
        sample = all_candidates(problem, some, threads)
        plan = (Stage(1_000_000, rounds, step),)
        prices = learn(problem, sample, plan, seed=seed, start=prices, threads=threads).prices
        del sample
    return prices, *usual
