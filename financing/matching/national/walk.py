"""Best candidates first, request by request, until no later one can matter.

No list of pairs is kept (MATCHING §3). Called by `engine.py` for the exact bound over all requests,
for the best offers of single requests and for short lists where requests are many.
"""

from dataclasses import dataclass

import numpy as np

from financing.matching.national.best_set import MICRO, Sums, Taken, make_scratch, no_sums
from financing.matching.national.candidates import Candidates, State
from financing.matching.national.orders import Prices, is_plain, make_order
from financing.matching.national.packing import Problem
from financing.matching.national.portions import best_first
from financing.matching.national.rows_of import make_look
from financing.matching.national.tables import Int32
from financing.matching.national.threads import over_parts
from financing.matching.national.walk_tools import Met, Short, Tools


def no_short(count: int, most: int = 8) -> Short:
    """Places for the best `most` candidates of so many lines."""
    shape = (count, most)
    return Short(
        np.full(shape, -1, dtype=np.int32),
        np.zeros(shape, dtype=np.int64),
        np.zeros(shape, dtype=np.int64),
        np.zeros(shape, dtype=np.int64),
        np.full(shape, -(2**62), dtype=np.int64),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """Sums of all lines, and what each would take or the best candidates it met, where asked."""

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
    short: Short | None = None,
    threads: int = 1,
) -> Walked:
    """Every line's best set at these prices among offers whose room takes it.

    `lines`: packed places, rising.
    `listed`: say what each takes; `by_lot`: ties by the lottery, else by the offers' order;
    `short`: filled with the best candidates each line met on its walk.
    """
    sieve = problem.sieve
    if sieve is None:
        raise ValueError("a problem without a sieve cannot be walked")
    most = int(problem.policy.max_proposals_count)
    count = len(lines) if listed else 0
    taken = Taken(
        np.full((count, most), -1, dtype=np.int32),
        np.zeros((count, most), dtype=np.int64),
        np.zeros((count, most), dtype=np.float64),
    )
    share = int(problem.policy.alternative_share_ppm)
    plain = is_plain(problem)
    kept = short if short is not None else no_short(0)
    options = np.array([share, seed, plain, listed, by_lot, most], dtype=np.int64)
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
            Taken(taken.offer[start:stop], taken.amount[start:stop], taken.loss[start:stop]),
            sums,
            Short(*(values[start:stop] for values in kept)),  # type: ignore[arg-type]
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


def short_candidates(lines: Int32, short: Short, *, plain: bool) -> Candidates:
    """The kept candidates of these lines as lists."""
    met = short.offer >= 0
    start = np.zeros(len(lines) + 1, dtype=np.int64)
    np.cumsum(met.sum(axis=1), out=start[1:])
    first = np.zeros(0, dtype=np.int64) if plain else short.first_fen[met]
    return Candidates(
        lines, start, short.offer[met], short.amount[met], short.further_fen[met], first
    )
