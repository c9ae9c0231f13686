"""The first step of a run over bundles: prices from a sample, in one process.

Called by the task that begins such a run.
"""

import numpy as np

from financing.matching.national.bundles import Frame, bundle_input, packed, provinces_of
from financing.matching.national.engine import known_prices, seed_number
from financing.matching.national.prices import drawn
from financing.matching.national.rounds import Conductor
from financing.matching.national.run_input import KindInput
from financing.matching.national.sampling import begin_on_sample, sample_ppm
from financing.matching.national.tables import LoanRequestColumns


def begin(
    kind: KindInput, frame: Frame, start: dict[str, tuple[int, int]], threads: int = 1
) -> Conductor:
    """A conductor before its first question. `start`: prices by offer id, the last run's.

    The same as `at_scale.py` begins with; only the sample is packed.
    """
    columns = kind.requests
    if not isinstance(columns, LoanRequestColumns):
        raise TypeError("only loans are cut into bundles")
    count, seed = len(columns), seed_number(frame.policy.seed)
    codes, _ = provinces_of(columns)
    places = drawn(columns.id, sample_ppm(count), seed).astype(np.int64)
    problem = packed(bundle_input(kind, frame, places), frame, threads)
    found = begin_on_sample(
        problem,
        np.arange(problem.count, dtype=np.int32),
        known_prices(problem, frame.offers, start),
        count=count,
        seed=seed,
        threads=threads,
    )
    return Conductor.begin(len(codes), problem.room, problem.room_count, found)
