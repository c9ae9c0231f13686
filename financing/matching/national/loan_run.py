"""Loans of one run: columns in, proposals with baskets and prices out; called by `run.py`."""

import numpy as np

from financing.matching.national.churn import Kept, ranking_worths
from financing.matching.national.eligible import eligible_requests
from financing.matching.national.engine import Progress, allocate_loans
from financing.matching.national.kind_result import (
    KindResult,
    ProposalColumns,
    kind_result,
    proposal_columns,
)
from financing.matching.national.loan_baskets import loan_baskets
from financing.matching.national.packing import Closed, Problem
from financing.matching.national.proposals import Worth
from financing.matching.national.ranking import ranked
from financing.matching.national.repair import Given
from financing.matching.national.tables import Bool, Int32, Int64, LoanRequestColumns
from financing.matching.policy import MatchingPolicy
from financing.matching.tables import LoanOfferRow


def run_loans(
    columns: LoanRequestColumns,
    offers: tuple[LoanOfferRow, ...],
    policy: MatchingPolicy,
    *,
    closed: Closed,
    previous: tuple[Int64, Int32],
    start: dict[str, tuple[int, int]],
    over_shards: bool,
    threads: int,
    progress: Progress,
) -> KindResult:
    """`columns` are checked, and neither they nor `offers` are empty."""
    found = allocate_loans(
        columns,
        offers,
        policy,
        closed=closed,
        previous=previous,
        start=start,
        over_shards=over_shards,
        threads=threads,
        progress=progress,
    )
    problem = found.problem
    progress("proposals", found.bound_fen)
    proposals = loan_proposals(
        problem, found.given, found.worth, found.kept, found.seed, columns, threads
    )
    progress("eligible", found.bound_fen)
    is_eligible: Bool = np.zeros(len(columns), dtype=np.bool_)
    is_eligible[problem.line] = eligible_requests(problem, threads)
    return kind_result(
        proposals=proposals,
        offer_ids=tuple(row.id for row in problem.offer_rows),
        room=problem.room,
        room_count=problem.room_count,
        prices=found.prices,
        value_fen=found.value_fen,
        bound_fen=found.bound_fen,
        is_eligible=is_eligible,
        pairs_count=found.pairs_count,
    )


def loan_proposals(
    problem: Problem,
    given: Given,
    worth: Worth,
    kept: Kept | None,
    seed: int,
    columns: LoanRequestColumns,
    threads: int,
) -> ProposalColumns:
    """Proposals with ranks and baskets; `columns` are those that were packed."""
    worths = worth.value_fen
    if kept is not None:
        worths = ranking_worths(given, worths, kept)
    lines = ranked(problem.data.requests, given, worths, worth.first, seed)
    starts, ids, conditional = loan_baskets(
        problem, columns, lines.request, given.offer[lines.request, lines.place], threads
    )
    return proposal_columns(
        problem,
        given,
        worth,
        lines,
        patents_start=starts,
        patent_id=ids,
        is_conditional=conditional,
    )
