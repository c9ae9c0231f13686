"""All fitting pairs of a run as plain columns, for checks from outside; called by `files.py`.

What `certificate.py` takes. A run never needs them, so they are listed again; of many requests a
part drawn by their ids.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.engine import seed_number
from financing.matching.national.insurance_packing import pack_insurances
from financing.matching.national.insurance_pairs import insurance_candidates
from financing.matching.national.listing import list_pairs
from financing.matching.national.packing import Problem, pack
from financing.matching.national.prices import draw
from financing.matching.national.questions import with_answers
from financing.matching.national.run_input import KindInput
from financing.matching.national.tables import Int64, LoanRequestColumns
from financing.matching.policy import MatchingPolicy
from financing.matching.tables import InsuranceOfferRow, LoanOfferRow, OfferRow

DUMPED_AT_MOST = 100_000
"""Requests; of more a part of about this size."""


class PairDump(NamedTuple):
    """Pairs by place of the request in the columns and of the offer among those given.

    `slots`, `is_reached`: by place of the request; -1 and 0 where it was not drawn. `share`: of all
    requests that were drawn. Figures in fen, as in `listing.Pairs`.
    """

    request: Int64
    offer: Int64
    amount_fen: Int64
    first_fen: Int64
    further_fen: Int64
    slots: Int64
    is_reached: Int64
    share: float


def dump_pairs(
    kind: KindInput, policy: MatchingPolicy, *, at_most: int = DUMPED_AT_MOST
) -> PairDump:
    """All pairs that no rule refuses and nobody closed, of all or of about `at_most` requests."""
    if not len(kind.requests) or not kind.offers:
        none = np.zeros(0, dtype=np.int64)
        count = len(kind.requests)
        nobody = np.zeros(count, dtype=np.int64)
        return PairDump(none, none, none, none, none, nobody - 1, nobody, 1.0)
    share_ppm = min(PPM, at_most * PPM // len(kind.requests))
    if isinstance(kind.requests, LoanRequestColumns):
        rows = [row for row in kind.offers if isinstance(row, LoanOfferRow)]
        problem = pack(kind.requests, rows, policy, closed=kind.closed)
        lines = _drawn(problem, share_ppm)
        found = list_pairs(with_answers(problem, lines), lines)
        return _dumped(
            problem,
            problem.offer_rows,
            kind,
            lines,
            (found.request, found.offer, found.amount_fen, found.first_fen, found.further_fen),
        )
    insured = [row for row in kind.offers if isinstance(row, InsuranceOfferRow)]
    packed = pack_insurances(kind.requests, insured, policy, closed=kind.closed)
    problem, lines = packed.problem, _drawn(packed.problem, share_ppm)
    listed = insurance_candidates(packed)
    request = np.repeat(np.arange(problem.count), np.diff(listed.start))
    first = listed.first_fen
    if not len(first):
        first = listed.further_fen + problem.data.requests["coverage"][request]
    mine = np.isin(request, lines)
    columns = (request, listed.offer, listed.amount, first, listed.further_fen)
    return _dumped(
        problem, packed.offer_rows, kind, lines, tuple(column[mine] for column in columns)
    )


def _drawn(problem: Problem, share_ppm: int) -> np.ndarray:
    lines = np.arange(problem.count, dtype=np.int32)
    return draw(problem, lines, share_ppm, seed_number(problem.policy.seed))


def _dumped(
    problem: Problem,
    in_order: Sequence[OfferRow],
    kind: KindInput,
    lines: np.ndarray,
    columns: tuple[np.ndarray, ...],
) -> PairDump:
    offers: Sequence[OfferRow] = kind.offers
    place = {row.id: number for number, row in enumerate(offers)}
    given = np.array([place[row.id] for row in in_order], dtype=np.int64)
    request, offer, amount, first, further = columns
    slots = np.full(problem.count, -1, dtype=np.int64)
    reached = np.zeros(problem.count, dtype=np.int64)
    slots[problem.line[lines]] = problem.data.requests["slots"][lines]
    reached[problem.line[lines]] = problem.data.requests["is_reached"][lines]
    return PairDump(
        problem.line[request].astype(np.int64),
        given[offer],
        amount,
        first,
        further,
        slots,
        reached,
        len(lines) / problem.count,
    )
