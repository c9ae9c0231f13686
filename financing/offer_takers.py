"""Which requests a loan offer fits, from the columns of the snapshot; runs over one offer ask.

Only tasks come here: it loads the compiled matcher. Reading a record costs a thousand times what a
line of columns does, so patents of a request are read only when the offer fits it and has room.
"""

from datetime import date

import numpy as np
from django.db.models import Count, Q, Value

from financing.id_arrays import one_of
from financing.matching.areas import division_prefix, lies_in_industries
from financing.matching.national.request_book import Takers, request_book, takers
from financing.matching.national.tables import Bool, ColumnError, Int64, LoanRequestColumns
from financing.matching.policy import MatchingPolicy
from financing.matching.rooms import room_of
from financing.matching.tables import SIZE_CLASSES, LoanOfferRow
from financing.models.matches import MATCH_LIVE_STATUSES, Match
from financing.models.proposals import Proposal
from financing.models.request_chunks import RequestChunk, RequestMark
from financing.pair_kinds import LOAN
from financing.snapshot.chunks import joined
from financing.snapshot.code_digest import code_digest
from financing.snapshot.refreshing import refresh
from financing.snapshot.stored import stored_parts

MOST_READ_ANEW = 500
"""Records that one task brings into the columns; more are left to the next full run."""

KEEP_ALL = 300
"""Up to so many requests that fit, all are decided on."""

ROOMS_FILLED = 3
"""Of more, the best ones that would fill the offer's room so often."""


def requests_to_decide(offer: LoanOfferRow, policy: MatchingPolicy) -> list[int] | None:
    """Ids of the requests that the offer fits and may reach; None where columns cannot say.

    Left out are those with no free place or with a live match or standing proposal of the same
    institution, and beyond KEEP_ALL those behind enough better ones to fill the room ROOMS_FILLED
    times. Those with a provisional proposal are never left out: it may give way.
    """
    if not _is_fresh_enough(policy.as_of):
        return None
    refresh(LOAN, policy.as_of)
    try:
        ids, found = _fitting(offer, policy)
    except ColumnError:
        # Beyond what the compiled rules can count, as more than ten billion yuan.
        return None
    if len(ids) <= KEEP_ALL:
        return sorted(ids.tolist())
    return sorted(_best(offer, policy, ids, found))


def _is_fresh_enough(on: date) -> bool:
    """Few records have to be read to bring the columns up to date."""
    marks = RequestMark.objects.filter(kind=LOAN.name)
    open_ones = LOAN.requests._default_manager.in_matching()
    stale = RequestChunk.objects.filter(kind=LOAN.name).filter(
        ~Q(code_digest=code_digest()) | Q(as_of__gt=on)
    )
    if marks.filter(request_id=None).exists() or stale.exists():
        return bool(open_ones[: MOST_READ_ANEW + 1].count() <= MOST_READ_ANEW)
    return marks.values("request_id").distinct()[: MOST_READ_ANEW + 1].count() <= MOST_READ_ANEW


def _fitting(offer: LoanOfferRow, policy: MatchingPolicy) -> tuple[Int64, Takers]:
    """Requests the offer fits by every rule but what people decided."""
    parts = []
    for chunk, holds in stored_parts(LOAN):
        assert isinstance(chunk.columns, LoanRequestColumns)
        parts.append(chunk.where(holds & _may_take(chunk.columns, offer)))
    if not parts:
        return np.zeros(0, dtype=np.int64), _nobody()
    columns = joined(parts).on(policy.as_of)
    assert isinstance(columns, LoanRequestColumns)
    found = takers(request_book(columns, policy), offer)
    return columns.id[found.place], found


def _nobody() -> Takers:
    none = np.zeros(0, dtype=np.int64)
    return Takers(none.astype(np.int32), none, none, none, none.astype(np.bool_))


def _may_take(columns: LoanRequestColumns, offer: LoanOfferRow) -> Bool:
    """By line, what whole columns can say quickly."""
    prefixes = tuple(division_prefix(code) for code in offer.regions)
    served = np.array(
        [not prefixes or code.startswith(prefixes) for code in columns.region_codes], dtype=np.bool_
    )
    sizes = np.array(
        [not offer.size_classes or one in offer.size_classes for one in SIZE_CLASSES],
        dtype=np.bool_,
    )
    meant = np.array(
        [
            not offer.industries or lies_in_industries(code, offer.industries)
            for code in columns.industry_codes
        ],
        dtype=np.bool_,
    )
    wanted: Bool = (
        (columns.principal_fen >= offer.principal_min_fen)
        & (columns.least_accepted_fen <= offer.principal_max_fen)
        & (columns.term_months >= offer.term_min_months)
        & (columns.term_months <= offer.term_max_months)
        & (np.diff(columns.patents_start) >= offer.min_patents_count)
        & sizes[columns.size_class]
    )
    if len(columns):
        wanted &= served[columns.region] & meant[columns.industry]
    return wanted


def _best(offer: LoanOfferRow, policy: MatchingPolicy, ids: Int64, found: Takers) -> set[int]:
    """Those with a provisional proposal, and the best of the others that have a free place."""
    taken, provisional = np.zeros(len(ids), dtype=np.int64), np.zeros(len(ids), dtype=np.bool_)
    is_closed = np.zeros(len(ids), dtype=np.bool_)
    order = np.argsort(ids)
    for rows in (_proposed(offer, ids), _matched(offer, ids, policy.as_of)):
        table = np.array(rows, dtype=np.int64).reshape(-1, 4)
        lines = order[np.searchsorted(ids, table[:, 0], sorter=order)]
        taken[lines] += table[:, 1]
        is_closed[lines] |= table[:, 2] > 0
        provisional[lines] |= table[:, 3] > 0
    # As `allocation.py` takes them: whom nothing reaches first, most worth per fen.
    density = found.worth_fen / np.maximum(found.amount_fen, 1)
    ranked = np.lexsort((-density, taken > 0))
    ranked = ranked[(~is_closed & (taken < policy.max_proposals_count))[ranked]]
    room = room_of(offer, policy.oversubscription_ppm)
    filled = np.cumsum(found.amount_fen[ranked])
    enough = int(np.searchsorted(filled, room.fen * ROOMS_FILLED)) + 1
    if room.count is not None:
        enough = min(enough, room.count * ROOMS_FILLED + 1)
    return {*ids[provisional].tolist(), *ids[ranked[: max(enough, KEEP_ALL)]].tolist()}


def _proposed(offer: LoanOfferRow, ids: Int64) -> list[tuple[int, int, int, int]]:
    """By request: standing proposals of full runs, those of the institution, provisional ones."""
    full = Q(is_provisional=False)
    of_house = full & Q(loan_offer__institution=int(offer.institution_id))
    rows = (
        Proposal.objects.filter(one_of(Proposal, LOAN.request_id, ids.tolist()))
        .exclude(loan_offer=int(offer.id))
        .values_list("loan_request_id")
        .annotate(
            full=Count("pk", filter=full),
            of_house=Count("pk", filter=of_house),
            provisional=Count("pk", filter=~full),
        )
        .order_by()
    )
    return list(rows)


def _matched(offer: LoanOfferRow, ids: Int64, on: date) -> list[tuple[int, int, int, int]]:
    """By request: live matches within their deadline, live ones of the institution, none."""
    counted = Q(deadline_on=None) | Q(deadline_on__gte=on)
    rows = (
        Match.objects.filter(
            one_of(Match, LOAN.request_id, ids.tolist()), status__in=MATCH_LIVE_STATUSES
        )
        .values_list("loan_request_id")
        .annotate(
            counted=Count("pk", filter=counted),
            of_house=Count("pk", filter=Q(institution=int(offer.institution_id))),
            nothing=Value(0),
        )
        .order_by()
    )
    return list(rows)
