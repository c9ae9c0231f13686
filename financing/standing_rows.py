"""What people and earlier runs have decided already, as the matcher's rows of either kind."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from financing.matching import tables
from financing.models.match_runs import MatchRun, RunKind, RunStatus
from financing.models.matches import MATCH_LIVE_STATUSES, Match, MatchDecision, MatchStatus
from financing.models.proposals import Proposal
from financing.models.requests import REQUEST_MATCHING_STATUSES
from financing.pair_kinds import PairKind


def decided_rows(kind: PairKind, request_ids: Iterable[int] | None) -> list[tables.DecidedPair]:
    """Rejections and declines of people that cite a criterion or a reason (MATCHING 1).

    `request_ids`: of these requests; None of all that may be in matching.
    """
    decisions = MatchDecision.objects.filter(
        **_of_requests(f"match__{kind.request_field}", request_ids),
        match__status__in=[
            MatchStatus.REJECTED,
            MatchStatus.DECLINED,
            MatchStatus.FALLEN_THROUGH,
        ],
        action__in=["reject", "decline", "decline_terms", "fall_through"],
    ).select_related("match")
    return [
        tables.DecidedPair(
            kind=kind.name,
            request_id=str(getattr(decision.match, kind.request_id)),
            institution_id=str(decision.match.institution_id),
            criterion=decision.criterion or decision.reason,
            fingerprint=decision.criterion_fingerprint,
        )
        for decision in decisions
    ]


def _of_requests(field: str, request_ids: Iterable[int] | None) -> dict[str, Any]:
    if request_ids is None:
        return {f"{field}__status__in": REQUEST_MATCHING_STATUSES}
    return {f"{field}__in": list(request_ids)}


def standing_rows(
    kind: PairKind, request_ids: Iterable[int] | None, on: date
) -> list[tables.StandingMatch]:
    """Live matches: they count towards k until their deadline and block their institution.

    `request_ids` as for `decided_rows`.
    """
    matches = Match.objects.filter(
        **_of_requests(kind.request_field, request_ids), status__in=MATCH_LIVE_STATUSES
    ).only(kind.request_id, kind.offer_id, "institution_id", "deadline_on")
    return [
        tables.StandingMatch(
            kind=kind.name,
            request_id=str(getattr(match, kind.request_id)),
            offer_id=str(getattr(match, kind.offer_id)),
            institution_id=str(match.institution_id),
            is_within_deadline=match.deadline_on is None or match.deadline_on >= on,
        )
        for match in matches
    ]


def previous_rows(kind: PairKind, request_ids: Iterable[int]) -> list[tables.PreviousProposal]:
    """The proposals that stand now."""
    pairs = Proposal.objects.filter(**{f"{kind.request_field}__in": list(request_ids)}).values_list(
        kind.request_id, kind.offer_id
    )
    return [
        tables.PreviousProposal(kind=kind.name, request_id=str(request), offer_id=str(offer))
        for request, offer in pairs
    ]


def last_national_run() -> MatchRun | None:
    """The latest finished run over the whole country."""
    return (
        MatchRun.objects.written()
        .filter(kind=RunKind.FULL, scope_prefix="", status=RunStatus.DONE)
        .order_by("-finished_at", "-pk")
        .first()
    )


def price_key(kind_name: str, offer_id: str) -> str:
    """How `MatchRun.prices` names an offer: loans by their id, insurances after their kind."""
    return offer_id if kind_name == "loan" else f"{kind_name}-{offer_id}"
