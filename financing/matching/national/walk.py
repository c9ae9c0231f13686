"""Best candidates first, request by request, until no later one can matter.

No list of pairs is kept (MATCHING §3). Called by `engine.py` for the exact bound over all requests,
for the best offers of single requests and for the choices of requests where they are many.
"""

from dataclasses import dataclass

import numpy as np

from financing.matching.national.best_set import (
    MICRO,
    Sums,
    Taken,
    make_scratch,
    no_sums,
    nothing_taken,
    part_of_taken,
)
from financing.matching.national.candidates import State
from financing.matching.national.orders import Prices, is_plain, make_order
from financing.matching.national.packing import Problem
from financing.matching.national.portions import best_first
from financing.matching.national.rows_of import make_look
from financing.matching.national.tables import Int32, Int64
from financing.matching.national.threads import over_parts
from financing.matching.national.walk_tools import Met, Tools


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """Sums of all lines, and what each would take where asked."""

    sums: Sums
    taken: Taken | None

    @property
    def worth_micro(self) -> int:
        """Exact, beyond 64 bits where it must be."""
        return int(self.sums.totals[0]) * MICRO + int(self.sums.totals[1])


def walk(
    problem: Problem,
    lines: Int32,
    prices: Prices,
    state: State,
    *,
    seed: int,
    listed: bool,
    by_lot: bool = True,
    blur_ppm: int = 0,
    part: Int64 | None = None,
    reach_ppm: int = 0,
    takes: bool = False,
    threads: int = 1,
) -> Walked:
    """Every line's best set at these prices among offers whose room takes it.

    `lines`: packed places, rising.
    `listed`: say what each takes; `by_lot`: ties by the lottery, else by the offers' order;
    `blur_ppm`: how far the lottery moves the price of each pair (`pairs.blurred`), so that not all
    who are alike take the same; `reach_ppm`: listed lines also name what is worth nothing by
    so little per fen; `takes`: each listed line takes its room of `state` at once, before
    the next one looks: in order of packing, on one thread.
    """
    sieve = problem.sieve
    if sieve is None:
        raise ValueError("a problem without a sieve cannot be walked")
    most = int(problem.policy.max_proposals_count)
    count = len(lines) if listed else 0
    taken = nothing_taken(count, most)
    share = int(problem.policy.alternative_share_ppm)
    plain = is_plain(problem)
    options = np.array(
        [share, seed, plain, listed, by_lot, most, blur_ppm, takes, reach_ppm], dtype=np.int64
    )
    parts = np.zeros(len(problem.room), dtype=np.int64) if part is None else part
    terms = np.asarray(problem.terms, dtype=np.int64)

    def work(start: int, stop: int) -> Sums:
        sums = no_sums(len(problem.room))
        best_first(
            lines[start:stop],
            problem.data,
            problem.groups,
            terms,
            sieve,
            prices,
            state,
            part_of_taken(taken, start, stop),
            sums,
            parts,
            _tools(problem, plain=plain),
            options,
        )
        return sums

    found = over_parts(work, len(lines), threads)
    total = no_sums(len(problem.room))
    for one in found:
        total.fen[:] += one.fen
        total.count[:] += one.count
        total.totals[:] += one.totals
    return Walked(total, taken if listed else None)


def _tools(problem: Problem, *, plain: bool) -> Tools:
    further = make_order(problem)
    met = 0 if plain else len(problem.room)
    return Tools(
        make_scratch(int(problem.policy.max_proposals_count)),
        make_look(),
        Met(
            np.full(met, -1, dtype=np.int32),
            np.zeros(met, dtype=np.int64),
            np.zeros(met, dtype=np.int64),
        ),
        further,
        further if plain else make_order(problem),
    )
