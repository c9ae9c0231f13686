"""The first step of a run over bundles: prices from a sample, in one process.

Called by the task that begins such a run.
"""

import numpy as np

from financing.matching.national.at_scale import sample_prices
from financing.matching.national.bundles import Frame, provinces_of
from financing.matching.national.engine import known_prices, seed_number
from financing.matching.national.packing import pack
from financing.matching.national.questions import with_answers
from financing.matching.national.rounds import Conductor
from financing.matching.national.run_input import KindInput
from financing.matching.national.tables import LoanRequestColumns


def begin(
    kind: KindInput, frame: Frame, start: dict[str, tuple[int, int]], threads: int = 1
) -> Conductor:
    """A conductor before its first question. `start`: prices by offer id, the last run's.

    The same as `engine.allocate_loans` begins with where pairs are too many to keep.
    """
    columns = kind.requests
    if not isinstance(columns, LoanRequestColumns):
        raise TypeError("only loans are cut into bundles")
    problem = pack(
        columns,
        frame.offers,
        frame.policy,
        closed=kind.closed,
        costs=frame.costs,
        threads=threads,
    )
    lines = np.arange(problem.count, dtype=np.int32)
    problem = with_answers(problem, lines)
    prices = known_prices(problem, frame.offers, start)
    seed = seed_number(frame.policy.seed)
    codes, _ = provinces_of(columns)
    return Conductor.begin(
        len(codes),
        problem.room,
        problem.room_count,
        *sample_prices(problem, lines, prices, seed, threads),
    )
