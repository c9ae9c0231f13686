"""Why any pair was proposed or not, on demand; nothing of this is stored pair by pair.

Called by pages and `match_files` with the result of the run the explanation is about.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from financing.matching.eligibility import evaluate
from financing.matching.pairs import Context
from financing.matching.results import MatchingResult
from financing.matching.rule_results import RuleResult
from financing.matching.tables import OfferRow, RequestRow

PROPOSED = "proposed"
CAPACITY_EXHAUSTED = "capacity_exhausted"
NOT_ALLOCATED = "not_allocated"
INSTITUTION_ALREADY_PROPOSED = "institution_already_proposed"
BEYOND_K = "beyond_k"
UNPROPOSED_CODES = (INSTITUTION_ALREADY_PROPOSED, BEYOND_K, CAPACITY_EXHAUSTED, NOT_ALLOCATED)


@dataclass(frozen=True, slots=True)
class Explanation:
    """One outcome of one pair.

    `outcome`: "proposed", the code of the first rule that refused, or why it was passed over.
    `lost_to_offer_ids`: proposals of this request that stood before it (institution or k).
    `room_fen` and `room_left_fen`: the offer's room before and after the run, `price_ppm`: least
    value per million fen among what the offer was given to, where it lost on room.
    """

    kind: str
    request_id: str
    offer_id: str
    outcome: str
    results: tuple[RuleResult, ...]
    amount_fen: int
    saving_fen: int
    patent_ids: tuple[str, ...]
    lost_to_offer_ids: tuple[str, ...] = ()
    room_fen: int | None = None
    room_left_fen: int | None = None
    price_ppm: int | None = None


def explain(
    request: RequestRow, offer: OfferRow, context: Context, result: MatchingResult
) -> Explanation:
    """The one outcome of a pair in a run; TypeError when they are of different kinds.

    KeyError when the pair passes every rule but its offer was not in the run.

    A pair that passed every rule and was not proposed is explained by the first that holds of: its
    institution was proposed or has a live match; k is used up; the room was too small from the
    start; the room went to others.
    """
    evaluation = evaluate(request, offer, context)
    pair = evaluation.pair
    key = (request.kind, request.id)
    outcome, lost_to = _outcome(request, offer, pair.amount_fen, evaluation.failed_codes, result)
    lost_on_room = outcome in (CAPACITY_EXHAUSTED, NOT_ALLOCATED)
    rooms = result.room(offer.kind, offer.id) if lost_on_room else None
    return Explanation(
        *key,
        offer.id,
        outcome,
        evaluation.results,
        pair.amount_fen,
        pair.saving_fen,
        pair.basket.patent_ids,
        lost_to,
        rooms.room_fen if rooms else None,
        rooms.room_left_fen if rooms else None,
        rooms.least_given_ppm if rooms and outcome == NOT_ALLOCATED else None,
    )


def _outcome(
    request: RequestRow,
    offer: OfferRow,
    amount_fen: int,
    failed_codes: tuple[str, ...],
    result: MatchingResult,
) -> tuple[str, tuple[str, ...]]:
    proposals = result.proposals_of(request.kind, request.id)
    if any(proposal.offer_id == offer.id for proposal in proposals):
        return PROPOSED, ()
    if failed_codes:
        return failed_codes[0], ()
    standing = result.standing_of(request.kind, request.id)
    same = [p.offer_id for p in proposals if p.institution_id == offer.institution_id]
    same += [m.offer_id for m in standing if m.institution_id == offer.institution_id]
    if same:
        return INSTITUTION_ALREADY_PROPOSED, tuple(same)
    counted = [match for match in standing if match.is_within_deadline]
    if len(proposals) + len(counted) >= result.max_proposals_count:
        ids = [p.offer_id for p in proposals] + [m.offer_id for m in counted]
        return BEYOND_K, tuple(ids)
    rooms = result.room(offer.kind, offer.id)
    if amount_fen > rooms.room_fen or rooms.room_count == 0:
        return CAPACITY_EXHAUSTED, ()
    return NOT_ALLOCATED, ()


def count_refusals(
    requests: Iterable[RequestRow], offers: Iterable[OfferRow], context: Context
) -> dict[str, int]:
    """How many pairs each rule refuses (a pair counts under every rule that fails), by code.

    Looks at every pair of the same kind: for reports, not for pages.
    """
    offers = tuple(offers)
    counts: Counter[str] = Counter()
    for request in requests:
        for offer in offers:
            if offer.kind == request.kind:
                counts.update(evaluate(request, offer, context).failed_codes)
    return dict(sorted(counts.items()))
