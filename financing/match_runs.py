"""Rows -> matcher -> rows: why an offer was proposed or refused; services and views call it.

Together with `kind_rows` (records of both kinds as the matcher's rows) and `run_inputs` (whole
runs) this is the only bridge between records and the matcher. Nothing here writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.db.models import Count, Sum

from financing import match_rows
from financing.considered import considered_offers
from financing.kind_rows import rows_of
from financing.match_rows import yuan
from financing.matching import tables
from financing.matching.context import make_context
from financing.matching.decided import criterion_fingerprint
from financing.matching.eligibility import Evaluation, evaluate
from financing.matching.explanations import (
    BEYOND_K,
    CAPACITY_EXHAUSTED,
    INSTITUTION_ALREADY_PROPOSED,
    NOT_ALLOCATED,
    PROPOSED,
)
from financing.matching.near_misses import NearMiss, near_miss
from financing.matching.pairs import InsurancePair, Pair
from financing.matching.policy import MatchingPolicy as PolicyRow
from financing.matching.rooms import Room, room_of
from financing.matching.rule_results import RuleResult
from financing.models import Match, MatchingPolicy, Proposal
from financing.models.requests import REQUEST_MATCHING_STATUSES
from financing.pair_kinds import AnyOffer, AnyRequest, PairKind, kind_of, offers_beside
from financing.standing_rows import decided_rows

# Beside the outcomes of the matcher: a coordinator took the proposal; the request is not in
# matching; no run has looked at the pair yet.
MATCHED = "matched"
NOT_IN_MATCHING = "not_in_matching"
NOT_MATCHED_YET = "not_matched_yet"


class NoPolicy(LookupError):
    """No matching policy is in force on the day; `manage.py load_policy` writes the first."""


def current_policy(on: date) -> MatchingPolicy:
    """The policy in force on a day, with its tables; raises NoPolicy."""
    policy: MatchingPolicy | None = (
        MatchingPolicy.objects.filter(effective_on__lte=on)
        .order_by("-effective_on", "-version")
        .prefetch_related("weights", "standard_premiums")
        .first()
    )
    if policy is None:
        raise NoPolicy(f"no matching policy is in force on {on}; run load_policy")
    return policy


# --- explaining one request -------------------------------------------------------------------


@dataclass(frozen=True)
class OfferExplanation:
    """One offer seen from one request, for its page.

    `outcome`: proposed or matched; a code of MATCHING 2 for a pair that passed every rule but was
    not proposed (or NOT_IN_MATCHING, NOT_MATCHED_YET); else the first refusal. Amounts in yuan;
    None where a rule left none. `premium` and `standard_premium` (of the policy's table) for
    insurances only. `has_room`: what the offer has left is enough for the pair, of a near miss
    after its change.
    """

    offer: AnyOffer
    outcome: str
    results: tuple[RuleResult, ...]
    amount: Decimal | None
    saving: Decimal | None
    is_conditional: bool
    patent_ids: tuple[int, ...]
    near_miss: NearMiss | None = None
    proposal: Proposal | None = None
    match: Match | None = None
    premium: Decimal | None = None
    standard_premium: Decimal | None = None
    has_room: bool = True

    @property
    def has_passed(self) -> bool:
        """Every rule passed, whatever became of the pair."""
        return all(result.passed for result in self.results)

    @property
    def refusals(self) -> tuple[RuleResult, ...]:
        return tuple(result for result in self.results if not result.passed)


@dataclass(frozen=True)
class RequestExplanation:
    """All live offers seen from one request: those that fit, nearly fit, do not fit.

    `fits` best first (proposed ones by rank, then by saving); `near_misses` by saving, those
    without room last. `request`:
    the request as the matcher read it, its patents `with_facts`.
    """

    policy: MatchingPolicy
    fits: list[OfferExplanation]
    near_misses: list[OfferExplanation]
    refused: list[OfferExplanation]
    request: AnyRequest

    @property
    def all(self) -> list[OfferExplanation]:
        return [*self.fits, *self.near_misses, *self.refused]


def explain_request(request: AnyRequest, *, on: date) -> RequestExplanation:
    """Why each live offer was proposed, could be, nearly is or is not; in few queries.

    Of insurance offers those of the cover asked for.

    The request must be complete (amount, and for a loan least accepted and term).
    """
    kind = kind_of(request)
    offers = list(rows_of(kind).with_criteria(offers_beside(request)))
    return _explained(kind, request, offers, on)


def explain_pair(request: AnyRequest, offer: AnyOffer, *, on: date) -> OfferExplanation:
    """The same for one offer of the request's kind, live or not."""
    kind = kind_of(request)
    offers = list(rows_of(kind).with_criteria(kind.offers._default_manager.filter(pk=offer.pk)))
    return _explained(kind, request, offers, on).all[0]


def _explained(
    kind: PairKind, subject: AnyRequest, offers: Sequence[AnyOffer], on: date
) -> RequestExplanation:
    policy = current_policy(on)
    row_policy = match_rows.policy_row(policy, on)
    request = rows_of(kind).with_facts(kind.requests._default_manager.filter(pk=subject.pk)).get()
    request_row = rows_of(kind).request_rows([request], on)[0]
    context = make_context(row_policy, decided_rows(kind, [request.pk]), with_figures=True)
    proposals = {
        getattr(proposal, kind.offer_id): proposal
        for proposal in Proposal.objects.filter(**{kind.request_field: request}).select_related(
            "run"
        )
    }
    matches = {getattr(match, kind.offer_id): match for match in request.matches.live()}
    proposed = _proposed(kind, offers)
    considered: frozenset[int] | None = None
    is_in_matching = subject.status in REQUEST_MATCHING_STATUSES
    fits: list[OfferExplanation] = []
    near: list[OfferExplanation] = []
    refused: list[OfferExplanation] = []
    for offer, row in zip(offers, rows_of(kind).offer_rows(offers, on), strict=True):
        evaluation = evaluate(request_row, row, context)
        proposal, match = proposals.get(offer.pk), matches.get(offer.pk)
        miss, has_room = None, True
        if match is not None:
            outcome = MATCHED
        elif proposal is not None:
            outcome = PROPOSED
        elif evaluation.passed:
            has_room = _has_room(row, evaluation.pair.amount_fen, row_policy, proposed)
            if considered is None:
                considered = considered_offers(subject, offers)
            outcome = _why_not_proposed(
                has_room=has_room,
                is_in_matching=is_in_matching,
                is_considered=offer.pk in considered,
                k=row_policy.max_proposals_count,
                taken=len(proposals) + len(matches),
                closed_institutions={
                    *(m.institution_id for m in matches.values()),
                    *(other.institution_id for other in offers if other.pk in proposals),
                },
                institution_id=offer.institution_id,
            )
        else:
            outcome = evaluation.failed_codes[0]
            miss = near_miss(request_row, row, context)
            if miss is not None:
                has_room = _has_room(row, miss.amount_fen, row_policy, proposed)
        explanation = _explanation(offer, outcome, evaluation, miss, proposal, match)
        explanation = replace(explanation, has_room=has_room)
        target = fits if evaluation.passed or match or proposal else near if miss else refused
        target.append(explanation)
    fits.sort(key=_fit_order)
    near.sort(key=_near_miss_order)
    refused.sort(key=lambda each: (len(each.refusals), each.offer.name, each.offer.pk))
    return RequestExplanation(policy, fits, near, refused, request)


def _explanation(
    offer: AnyOffer,
    outcome: str,
    evaluation: Evaluation,
    miss: NearMiss | None,
    proposal: Proposal | None,
    match: Match | None,
) -> OfferExplanation:
    pair = evaluation.pair
    has_amount = pair.amount_fen > 0
    premium, standard = _premiums(pair)
    return OfferExplanation(
        offer=offer,
        outcome=outcome,
        results=evaluation.results,
        amount=yuan(pair.amount_fen) if has_amount else None,
        saving=yuan(pair.saving_fen) if has_amount else None,
        is_conditional=pair.is_conditional,
        patent_ids=tuple(int(patent_id) for patent_id in pair.basket.patent_ids),
        near_miss=miss,
        proposal=proposal,
        match=match,
        premium=premium,
        standard_premium=standard,
    )


def _premiums(pair: Pair) -> tuple[Decimal | None, Decimal | None]:
    """Premium of the offer and of the policy's table, in yuan; neither for a loan."""
    if not isinstance(pair, InsurancePair):
        return None, None
    standard = pair.standard_premium_fen
    return yuan(pair.premium_fen), None if standard is None else yuan(standard)


def _has_room(
    row: tables.OfferRow, amount_fen: int, policy: PolicyRow, proposed: dict[int, "_Proposed"]
) -> bool:
    """What is left of the offer beside what stands proposed now is enough for `amount_fen`."""
    room, taken = room_of(row, policy.oversubscription_ppm), proposed.get(int(row.id), _Proposed())
    left = None if room.count is None else room.count - taken.count
    return Room(room.fen - taken.fen, left).takes(amount_fen)


def _why_not_proposed(
    *,
    has_room: bool,
    is_in_matching: bool,
    is_considered: bool,
    k: int,
    taken: int,
    closed_institutions: set[int],
    institution_id: int,
) -> str:
    """The reason of MATCHING 2 for a pair that passed every rule, as things stand now."""
    if not has_room:
        return CAPACITY_EXHAUSTED
    if not is_in_matching:
        return NOT_IN_MATCHING
    if not is_considered:
        return NOT_MATCHED_YET
    if institution_id in closed_institutions:
        return INSTITUTION_ALREADY_PROPOSED
    return BEYOND_K if taken >= k else NOT_ALLOCATED


def _fit_order(each: OfferExplanation) -> tuple[int, int, Decimal, int]:
    group = 0 if each.match else 1 if each.proposal else 2
    rank = each.proposal.rank if each.proposal else 0
    return (group, rank, -(each.saving or Decimal(0)), each.offer.pk)


def _near_miss_order(each: OfferExplanation) -> tuple[bool, int, int]:
    assert each.near_miss is not None
    return (not each.has_room, -each.near_miss.saving_fen, each.offer.pk)


@dataclass(frozen=True)
class _Proposed:
    """What stands proposed of one offer now, in fen and in pieces."""

    fen: int = 0
    count: int = 0


def _proposed(kind: PairKind, offers: Sequence[AnyOffer]) -> dict[int, _Proposed]:
    rows = (
        Proposal.objects.filter(**{f"{kind.offer_field}__in": [offer.pk for offer in offers]})
        .values(kind.offer_id)
        .annotate(amount=Sum("amount"), count=Count("pk"))
        .order_by()
    )
    return {
        row[kind.offer_id]: _Proposed(match_rows.fen(row["amount"]), row["count"]) for row in rows
    }


# --- one match ----------------------------------------------------------------------------------


def _pair_rows(match: Match, on: date) -> tuple[tables.RequestRow, tables.OfferRow]:
    kind = kind_of(match)
    request = rows_of(kind).with_facts(kind.requests._default_manager.filter(matches=match)).get()
    offer = rows_of(kind).with_criteria(kind.offers._default_manager.filter(matches=match)).get()
    return rows_of(kind).request_rows([request], on)[0], rows_of(kind).offer_rows([offer], on)[0]


def fingerprint(match: Match, criterion: str, *, on: date) -> str:
    """What a decision on this match stores, so that it blocks until the criterion changes."""
    return criterion_fingerprint(criterion, *_pair_rows(match, on))


def rules_failing_now(match: Match, *, on: date) -> tuple[str, ...]:
    """Refusal codes that hold today for a match; empty while it still fits."""
    context = make_context(match_rows.policy_row(current_policy(on), on))
    return evaluate(*_pair_rows(match, on), context).failed_codes
