"""All loan requests against all loan offers at once: columns in, proposals and certificate out.

`allocate_loans` is called by national runs and benchmarks. The same input gives the same result to
the byte, whatever the order of rows and the number of threads.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from financing.matching.national.at_scale import over_provinces
from financing.matching.national.balance import phases
from financing.matching.national.best_set import MICRO
from financing.matching.national.candidates import State, all_candidates
from financing.matching.national.checked_columns import check
from financing.matching.national.churn import (
    Kept,
    Previous,
    kept_offers,
    kept_worths,
    with_bonus,
)
from financing.matching.national.greedy import at_least_greedy
from financing.matching.national.in_memory import with_pairs
from financing.matching.national.loan_figures import loan_figures, loan_savings
from financing.matching.national.near_memory import with_near_pairs
from financing.matching.national.orders import Prices, no_prices
from financing.matching.national.packing import Closed, Problem, pack
from financing.matching.national.proposals import Worth, worth_of
from financing.matching.national.questions import with_answers
from financing.matching.national.repair import Given
from financing.matching.national.tables import Int32, LoanRequestColumns
from financing.matching.national.threads import default_threads
from financing.matching.national.walk import walk
from financing.matching.policy import MatchingPolicy
from financing.matching.tables import LoanOfferRow, OfferRow

ENGINE_VERSION = "national-5"

KEEP_ALL = 400_000
KEEP_NEAR = 2_000_000
"""Up to so many requests every fitting pair is kept in memory, then the nearest of each; above,
requests are allocated province by province, and no pair is kept."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class Allocation:
    """A run's result. Arrays by packed request; `problem.line` leads back to the columns.

    No allocation at all is worth more than `bound_fen`; this one is worth `value_fen`.
    """

    problem: Problem
    prices: Prices
    given: Given
    worth: Worth
    kept: Kept | None
    pairs_count: int | None
    value_fen: int
    bound_fen: int
    seed: int

    @property
    def gap(self) -> float:
        """(bound - value) / bound."""
        return 1 - self.value_fen / self.bound_fen if self.bound_fen else 0.0

    @property
    def proposals_count(self) -> int:
        return int((self.given.offer >= 0).sum())

    @property
    def reached_count(self) -> int:
        """Requests whom a first proposal of this run reaches."""
        return int((self.worth.first < 255).sum())

    @property
    def saving_fen(self) -> int:
        return int(self.worth.saving_fen.sum())

    def digest(self) -> str:
        """SHA-256 over proposals in order of request and offer, prices, value and bound."""
        ids = self.problem.data.requests["id"]
        line, place = np.nonzero(self.given.offer >= 0)
        table = np.stack(
            (
                ids[line],
                self.given.offer[line, place].astype(np.int64),
                self.given.amount[line, place],
                self.worth.value_fen[line, place],
            ),
            axis=1,
        )
        table = table[np.lexsort((table[:, 1], table[:, 0]))]
        hasher = hashlib.sha256(ENGINE_VERSION.encode())
        for part in (table, self.prices.fen_ppm, self.prices.count_fen):
            hasher.update(np.ascontiguousarray(part, dtype="<i8").tobytes())
        hasher.update(f"{self.value_fen},{self.bound_fen},{self.seed}".encode())
        return hasher.hexdigest()


def seed_number(seed: str) -> int:
    """The published seed as the number the lottery draws with."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]) >> 2


def allocate_loans(
    columns: LoanRequestColumns,
    offers: Sequence[LoanOfferRow],
    policy: MatchingPolicy,
    *,
    closed: Closed | None = None,
    previous: Previous | None = None,
    start: dict[str, tuple[int, int]] | None = None,
    over_shards: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Allocation:
    """Match all with all (MATCHING §1-§3). Raises ColumnError.

    `previous`: proposals of the run before, which change only for more than the policy's margin.
    `start`: prices (fen_ppm, count_fen) by offer id to begin with, the last run's. `progress`
    hears the stage and, while prices are learned, the bound so far in fen. `over_shards`: by the
    rounds of a run over several workers, however few the requests are.
    """
    threads = default_threads() if threads is None else threads
    tell: Progress = progress if progress is not None else _silent
    check(columns, threads)
    tell("packing", 0.0)
    problem = pack(columns, offers, policy, closed=closed, threads=threads)
    known = None if previous is None else (offer_numbers(problem.offer_rows, offers), previous)
    return allocate(
        problem,
        previous=known,
        start=start,
        over_shards=over_shards,
        threads=threads,
        progress=tell,
    )


def allocate(
    problem: Problem,
    *,
    previous: tuple[Int32, Previous] | None = None,
    start: dict[str, tuple[int, int]] | None = None,
    over_shards: bool = False,
    threads: int = 1,
    progress: Progress | None = None,
) -> Allocation:
    """The same for a problem already packed; `previous` with the numbers of its offers' places.

    Over shards `previous` is not looked at yet.
    """
    tell: Progress = progress if progress is not None else _silent
    seed = seed_number(problem.policy.seed)
    lines = np.arange(problem.count, dtype=np.int32)
    problem = with_answers(problem, lines, threads)
    begin = known_prices(problem, problem.offer_rows, start)
    kept = None
    if previous is not None and len(previous[1][0]):
        offer = kept_offers(problem, *previous)
        kept = kept_worths(problem, offer, *loan_figures(problem, offer, threads))
    pairs_count = None
    if problem.count <= KEEP_ALL and not over_shards:
        tell("pairs", 0.0)
        candidates = all_candidates(problem, lines, threads)
        pairs_count = len(candidates.offer)
        chosen = candidates if kept is None else with_bonus(candidates, kept)
        plan = phases(problem.count, is_warm=bool(begin.fen_ppm.any()))
        prices, bound_micro, given = with_pairs(
            problem, candidates, chosen, begin, plan, seed, threads, tell
        )
        given = at_least_greedy(problem, chosen, given, seed)
    elif problem.count <= KEEP_NEAR and not over_shards:
        prices, bound_micro, given = with_near_pairs(
            problem, lines, kept, begin, seed, threads, tell
        )
    else:
        prices, bound_micro, given = over_provinces(problem, lines, begin, seed, threads, tell)
    tell("values", 0.0)
    worth = worth_of(problem, given, loan_savings(problem, given, threads), seed, threads)
    return Allocation(
        problem=problem,
        prices=prices,
        given=given,
        worth=worth,
        kept=kept,
        pairs_count=pairs_count,
        value_fen=int(worth.value_fen.sum()),
        bound_fen=-(-bound_micro // MICRO),
        seed=seed,
    )


def _silent(_stage: str, _figure: float) -> None:
    pass


def offer_numbers(in_order: Sequence[OfferRow], offers: Sequence[OfferRow]) -> Int32:
    """By place among the offers given: number in the problem's order."""
    number = {row.id: place for place, row in enumerate(in_order)}
    return np.array([number[row.id] for row in offers], dtype=np.int32)


def known_prices(
    problem: Problem, offers: Sequence[OfferRow], start: dict[str, tuple[int, int]] | None
) -> Prices:
    """Prices to begin with, by the problem's order of offers; 0 where none are known."""
    prices = no_prices(problem)
    for number, row in enumerate(offers):
        known = (start or {}).get(row.id)
        if known is not None:
            prices.fen_ppm[number] = max(known[0], 0)
            prices.count_fen[number] = max(known[1], 0) if row.capacity_count is not None else 0
    return prices


def best_offers(problem: Problem, *, threads: int = 1) -> Given:
    """Each request's best offers by saving whatever their rooms, ties by the offers' order.

    Nothing is allocated: what a page shows first, and what joins elsewhere can be compared with.
    """
    prices = no_prices(problem)
    endless = np.full(len(problem.room), 2**62, dtype=np.int64)
    found = walk(
        problem,
        np.arange(problem.count, dtype=np.int32),
        prices,
        State(endless, endless, np.zeros((0, 0), dtype=np.int32)),
        seed=0,
        listed=True,
        by_lot=False,
        threads=threads,
    )
    if found.taken is None:
        raise AssertionError("listed walks list")
    return Given(found.taken.offer, found.taken.amount)
