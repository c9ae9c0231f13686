"""All loan requests against all loan offers at once: columns in, proposals and certificate out.

`allocate_loans` is called by national runs and benchmarks. The same input gives the same result to
the byte, whatever the order of rows and the number of threads.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from financing.matching.national.best_set import MICRO
from financing.matching.national.candidates import (
    Candidates,
    State,
    all_candidates,
    open_state,
)
from financing.matching.national.orders import Prices, is_plain, make_orders, no_prices
from financing.matching.national.packing import Closed, Problem, pack
from financing.matching.national.polish import polish
from financing.matching.national.prices import Stage, draw, learn, room_worth_micro
from financing.matching.national.proposals import Worth, worth_of
from financing.matching.national.questions import with_answers
from financing.matching.national.repair import Given, fill, repair
from financing.matching.national.tables import Int32, Int64, LoanRequestColumns, check
from financing.matching.national.threads import default_threads
from financing.matching.national.walk import no_short, short_candidates, walk
from financing.matching.policy import MatchingPolicy
from financing.matching.tables import LoanOfferRow

ENGINE_VERSION = "national-1"

KEEP_ALL = 400_000
"""Up to so many requests every fitting pair is kept in memory; above, the best few of each."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class LoanAllocation:
    """A run's result. Arrays by packed request; `problem.line` leads back to the columns.

    No allocation at all is worth more than `bound_fen`; this one is worth `value_fen`.
    """

    problem: Problem
    prices: Prices
    given: Given
    worth: Worth
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
    start: dict[str, tuple[int, int]] | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> LoanAllocation:
    """Match all with all (MATCHING §1-§3). Raises ColumnError.

    `start`: prices (fen_ppm, count_fen) by offer id to begin with, the last run's. `progress`
    hears the stage and, while prices are learned, the bound so far in fen.
    """
    threads = default_threads() if threads is None else threads
    tell: Progress = progress if progress is not None else _silent
    check(columns)
    tell("packing", 0.0)
    problem = pack(columns, offers, policy, closed=closed, threads=threads)
    return allocate(problem, start=start, threads=threads, progress=tell)


def allocate(
    problem: Problem,
    *,
    start: dict[str, tuple[int, int]] | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> LoanAllocation:
    """The same for a problem already packed."""
    tell: Progress = progress if progress is not None else _silent
    seed = seed_number(problem.policy.seed)
    lines = np.arange(problem.count, dtype=np.int32)
    problem = with_answers(problem, lines)
    begin = _known_prices(problem, start)
    if problem.count <= KEEP_ALL:
        prices, bound_micro, given = _with_all_pairs(problem, lines, begin, seed, threads, tell)
    else:
        prices, bound_micro, given = _with_short_lists(problem, lines, begin, seed, threads, tell)
    tell("values", 0.0)
    worth = worth_of(problem, given, threads)
    return LoanAllocation(
        problem=problem,
        prices=prices,
        given=given,
        worth=worth,
        value_fen=int(worth.value_fen.sum()),
        bound_fen=-(-bound_micro // MICRO),
        seed=seed,
    )


def _silent(_stage: str, _figure: float) -> None:
    pass


def _known_prices(problem: Problem, start: dict[str, tuple[int, int]] | None) -> Prices:
    prices = no_prices(problem)
    for number, row in enumerate(problem.offer_rows):
        known = (start or {}).get(row.id)
        if known is not None:
            prices.fen_ppm[number] = max(known[0], 0)
            prices.count_fen[number] = max(known[1], 0) if row.capacity_count is not None else 0
    return prices


def _with_all_pairs(
    problem: Problem, lines: Int32, begin: Prices, seed: int, threads: int, tell: Progress
) -> tuple[Prices, int, Given]:
    tell("pairs", 0.0)
    candidates = all_candidates(problem, lines, threads)
    learned = learn(
        problem,
        candidates,
        _stages(problem.count, is_warm=bool(begin.fen_ppm.any())),
        seed=seed,
        start=begin,
        threads=threads,
        progress=lambda bound: tell("prices", bound),
    )
    tell("repair", learned.dual_micro / MICRO)
    given = repair(problem, candidates, learned.prices, seed=seed, threads=threads)
    _polished(problem, candidates, learned.prices, given, seed, threads)
    return learned.prices, learned.dual_micro, given


def _stages(count: int, *, is_warm: bool) -> tuple[Stage, ...]:
    """Rounds on a quarter of the requests where they are many, then on all of them."""
    if is_warm:
        return (Stage(1_000_000, 40, 0.003),)
    if count < 50_000:
        return (Stage(1_000_000, 100, 0.05),)
    return (Stage(250_000, 60, 0.05), Stage(1_000_000, 45, 0.003))


def _polished(
    problem: Problem,
    candidates: Candidates,
    prices: Prices,
    given: Given,
    seed: int,
    threads: int,
) -> None:
    """Exchanges, then what room they left, in turn."""
    for _ in range(2):
        if not polish(problem, candidates, prices, given):
            break
        state = state_after(problem, given)
        fill(problem, candidates, prices, state, given, seed=seed, threads=threads)


def state_after(problem: Problem, given: Given) -> State:
    """Rooms left by an allocation, and what it holds (shared with `given`)."""
    state = open_state(problem)
    used = given.offer >= 0
    offers = len(problem.room)
    state.room[:] -= _sums(given.offer[used], given.amount[used], offers)
    state.room_count[:] -= np.bincount(given.offer[used], minlength=offers)
    return State(state.room, state.room_count, given.offer)


def _sums(places: Int32, values: Int64, count: int) -> Int64:
    """Exact sums by place; NumPy's weighted bincount would go through floats."""
    total = np.zeros(count, dtype=np.int64)
    np.add.at(total, places, values)
    return total


def _with_short_lists(
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
        make_orders(problem, prices, threads=threads),
        State(endless, endless, np.zeros((0, 0), dtype=np.int32)),
        seed=0,
        listed=True,
        by_lot=False,
        threads=threads,
    )
    if found.taken is None:
        raise AssertionError("listed walks list")
    return Given(found.taken.offer, found.taken.amount)
