"""Allocation where pairs are too many to keep: shard after shard; called by `engine.py`.

The same rounds as a run over several workers (`rounds.py`), in one process.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from financing.matching.national.orders import Prices
from financing.matching.national.packing import Problem
from financing.matching.national.repair import Given
from financing.matching.national.rounds import Conductor
from financing.matching.national.sampling import begin_on_sample
from financing.matching.national.shards import answer, nothing_given, province_edges, shards_of
from financing.matching.national.tables import Int32

Progress = Callable[[str, float], None]


def over_provinces(
    problem: Problem, lines: Int32, start: Prices, seed: int, threads: int, tell: Progress
) -> tuple[Prices, int, Given]:
    """Prices, bound (micro-fen) and what each packed request is given."""
    begin = begin_on_sample(
        problem,
        lines,
        start,
        count=problem.count,
        seed=seed,
        threads=threads,
        tell=lambda: tell("prices on a sample", 0.0),
    )
    edges = province_edges(problem)
    given = nothing_given(problem)
    # Giving room is one thread's work in a shard: many shards go side by side, each on one.
    side_by_side = min(threads, len(edges))
    shards = shards_of(problem, given, seed, threads if side_by_side < threads else 1)
    largest_first = sorted(shards, key=lambda one: (-one.problem.count, one.number))
    conductor = Conductor.begin(len(shards), problem.room, problem.room_count, begin)
    with ThreadPoolExecutor(max(1, side_by_side)) as pool:
        while not conductor.done:
            tell(conductor.stage, float(conductor.bound_fen))
            questions = [conductor.question_for(one.number) for one in largest_first]
            conductor.tell(list(pool.map(answer, largest_first, questions)))
    return conductor.prices, conductor.bound_micro, given
