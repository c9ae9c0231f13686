"""Insurance of one run: columns in, proposals with baskets and prices out; called by `run.py`."""

import numpy as np

from financing.matching.national.averaged_prices import averaged_prices
from financing.matching.national.balance import phases
from financing.matching.national.best_set import MICRO
from financing.matching.national.churn import (
    Kept,
    Previous,
    kept_offers,
    kept_worths,
    ranking_worths,
    with_bonus,
)
from financing.matching.national.engine import (
    Allocation,
    Progress,
    known_prices,
    offer_numbers,
    seed_number,
)
from financing.matching.national.greedy import at_least_greedy
from financing.matching.national.in_memory import with_pairs
from financing.matching.national.insurance_packing import InsuranceProblem, pack_insurances
from financing.matching.national.insurance_pairs import (
    insurance_baskets,
    insurance_candidates,
    insurance_figures,
    insurance_savings,
)
from financing.matching.national.kind_result import (
    KindResult,
    ProposalColumns,
    kind_result,
    proposal_columns,
)
from financing.matching.national.packing import Closed
from financing.matching.national.proposals import worth_of
from financing.matching.national.ranking import ranked
from financing.matching.national.tables import Bool, InsuranceRequestColumns
from financing.matching.policy import MatchingPolicy
from financing.matching.tables import InsuranceOfferRow

MANY = 20_000
PRICE_ROUNDS, PRICE_ROUNDS_OF_MANY = 600, 200


def run_insurances(
    columns: InsuranceRequestColumns,
    offers: tuple[InsuranceOfferRow, ...],
    policy: MatchingPolicy,
    *,
    closed: Closed,
    previous: Previous,
    start: dict[str, tuple[int, int]],
    threads: int,
    progress: Progress,
) -> KindResult:
    """`columns` are checked, and neither they nor `offers` are empty.

    All fitting pairs are kept in memory, 28 bytes each: some hundred thousand requests.
    """
    progress("packing", 0.0)
    packed = pack_insurances(columns, offers, policy, closed=closed)
    problem, seed = packed.problem, seed_number(policy.seed)
    progress("pairs", 0.0)
    candidates = insurance_candidates(packed, threads)
    kept = _kept(packed, offers, previous, threads)
    progress("prices", 0.0)
    begin = averaged_prices(
        problem,
        candidates,
        seed=seed,
        start=known_prices(problem, packed.offer_rows, start),
        rounds=PRICE_ROUNDS if problem.count <= MANY else PRICE_ROUNDS_OF_MANY,
        progress=lambda bound: progress("prices", bound),
    )
    chosen = candidates if kept is None else with_bonus(candidates, kept)
    prices, bound_micro, given = with_pairs(
        problem,
        candidates,
        chosen,
        begin,
        phases(problem.count, is_warm=bool(begin.fen_ppm.any())),
        seed,
        threads,
        progress,
    )
    given = at_least_greedy(problem, chosen, given, seed)
    progress("values", 0.0)
    worth = worth_of(problem, given, insurance_savings(packed, given, threads), seed, threads)
    found = Allocation(
        problem=problem,
        prices=prices,
        given=given,
        worth=worth,
        kept=kept,
        pairs_count=len(candidates.offer),
        value_fen=int(worth.value_fen.sum()),
        bound_fen=-(-bound_micro // MICRO),
        seed=seed,
    )
    progress("proposals", found.bound_fen)
    is_eligible: Bool = np.zeros(len(columns), dtype=np.bool_)
    is_eligible[problem.line] = np.diff(candidates.start) > 0
    return kind_result(
        proposals=_proposals(found, packed, columns, threads),
        offer_ids=tuple(row.id for row in packed.offer_rows),
        room=problem.room,
        room_count=problem.room_count,
        prices=prices,
        value_fen=found.value_fen,
        bound_fen=found.bound_fen,
        is_eligible=is_eligible,
        pairs_count=len(candidates.offer),
    )


def _kept(
    packed: InsuranceProblem,
    offers: tuple[InsuranceOfferRow, ...],
    previous: Previous,
    threads: int,
) -> Kept | None:
    if not len(previous[0]):
        return None
    problem = packed.problem
    offer = kept_offers(problem, offer_numbers(packed.offer_rows, offers), previous)
    return kept_worths(problem, offer, *insurance_figures(packed, offer, threads))


def _proposals(
    found: Allocation, packed: InsuranceProblem, columns: InsuranceRequestColumns, threads: int
) -> ProposalColumns:
    problem, given, worth = found.problem, found.given, found.worth
    worths = worth.value_fen
    if found.kept is not None:
        worths = ranking_worths(given, worths, found.kept)
    lines = ranked(problem.data.requests, given, worths, worth.first, found.seed)
    starts, ids, premium = insurance_baskets(
        packed, columns, lines.request, given.offer[lines.request, lines.place], threads
    )
    return proposal_columns(
        problem, given, worth, lines, patents_start=starts, patent_id=ids, premium_fen=premium
    )
