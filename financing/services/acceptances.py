"""The business accepts or declines the terms of one match (DOMAIN 3); called by the owner's pages.

Acceptance is one transaction: the match accepted, the request committed, the pledges of the stored
basket planned, every other match that can no longer be done superseded, its booking given back.

Lock order: proposals (shared), businesses, requests, matches, offers, each by id; the businesses
are all of those whose matches may end, so that two acceptances that meet are done one after the
other and never wait for each other.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from businesses.models import Business, Patent
from businesses.models.businesses import BusinessStatus
from businesses.models.patents import PatentStatus
from financing import notifications
from financing.lifecycles import MATCH, REQUEST
from financing.models.insurance_requests import InsuranceRequest
from financing.models.loan_requests import LoanRequest
from financing.models.matches import Match, MatchStatus
from financing.models.proposals import Proposal
from financing.models.terms import Terms, TermsStatus
from financing.services import capacity
from financing.services.clocks import Stage, end_clock, start_clock
from financing.services.matches import Reason, decide, refuse_missing_text
from financing.services.money_refusals import MoneyRefusal, MoneyRefused
from financing.services.pledges import plan_pledges
from financing.services.rematching import rematch, rematch_all
from financing.services.writing_lock import lock_claiming
from sipo_portal.audit.actors import Actor
from sipo_portal.workflow.advance import advance

SUPERSEDED_FROM = next(row.sources for row in MATCH.transitions if row.action == "supersede")


@transaction.atomic
def accept_terms(*, actor: Actor, terms: Terms) -> Match:
    """Accept exactly these terms; the match, accepted.

    Accepting what is accepted already changes nothing. Raises MoneyRefused (nothing changed) and
    TransitionRefused where the request is not open any more.
    """
    # No run writes proposals for a request that is being committed.
    lock_claiming()
    match = Match.objects.get(pk=terms.match_id)
    numbers = basket_numbers(match)
    matches = lock_matches([match.pk], _rivals(match, numbers))
    match = matches.pop(match.pk)
    locked = Terms.objects.select_for_update(of=("self",)).get(pk=terms.pk)
    if locked.status == TermsStatus.ACCEPTED:
        return match
    today = timezone.localdate()
    _refuse_accepting(match, locked, today)
    if match.loan_request_id is not None:
        plan_pledges(actor=actor, match=match)
    locked.status, locked.answered_at = TermsStatus.ACCEPTED, timezone.now()
    locked.save(update_fields=["status", "answered_at"])
    advance(MATCH, match, "accept", actor=actor, data={"terms": locked.pk, "pledges": len(numbers)})
    advance(REQUEST, match.request, "commit", actor=actor, data={"match": str(match.pk)})
    start_clock(match, Stage.COMPLETION, on=today)
    _supersede(actor, match, matches.values())
    Proposal.objects.filter(**of_request(match)).delete()
    rematch_all(
        LoanRequest.objects.in_matching()
        .filter(patents__application_number__in=numbers)
        .exclude(pk=match.loan_request_id)
    )
    notifications.terms_accepted(locked)
    return match


@transaction.atomic
def decline_terms(*, actor: Actor, terms: Terms, reason: Reason) -> Match:
    """Decline the terms with a structured reason; the match is over, its booking given back.

    Declining twice is the same as once. Raises MatchRefused where the reason needs its text,
    MoneyRefused where the terms do not stand any more, and TransitionRefused.
    """
    refuse_missing_text(reason)
    match = lock_matches([terms.match_id])[terms.match_id]
    locked = Terms.objects.select_for_update(of=("self",)).get(pk=terms.pk)
    if match.status == MatchStatus.DECLINED and locked.answered_at is not None:
        return match
    if locked.status != TermsStatus.OFFERED:
        raise MoneyRefused(MoneyRefusal.NOT_OFFERED)
    data = {"reason": reason.code, "criterion": reason.criterion, "terms": locked.pk}
    advance(MATCH, match, "decline_terms", actor=actor, data=data)
    decide(actor, match, "decline_terms", reason)
    locked.answered_at = timezone.now()
    locked.save(update_fields=["answered_at"])
    capacity.release(actor=actor, match=match)
    end_clock(match)
    rematch(match.request)
    notifications.terms_declined(locked)
    return match


def lock_matches(pks: Iterable[Any], others: Iterable[Any] = ()) -> dict[Any, Match]:
    """These matches by id, locked after their businesses and requests, all in order of ids.

    Rows that are gone by then are left out; the caller looks at the states again.
    """
    wanted = [*pks, *others]
    keys = list(
        Match.objects.filter(pk__in=wanted).values_list(
            "business_id", "loan_request_id", "insurance_request_id"
        )
    )
    businesses, loans, insurances = (
        {key for key in column if key is not None} for column in zip(*keys, strict=True)
    )
    # NO KEY: rows that only refer to business or request may still be written meanwhile. Whoever
    # holds a match writes it more than once, and so has its references looked up when it commits;
    # a lock of the key would make it wait for who waits for its match.
    list(Business.objects.select_for_update(no_key=True).filter(pk__in=businesses).order_by("pk"))
    for model, found in ((LoanRequest, loans), (InsuranceRequest, insurances)):
        rows = model.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=found)
        list(rows.order_by("pk"))
    locked = (
        Match.objects.select_for_update(of=("self",))
        .filter(pk__in=wanted)
        .select_related(
            "business",
            "institution",
            "loan_request",
            "loan_offer",
            "insurance_request",
            "insurance_offer",
        )
        .order_by("pk")
    )
    return {match.pk: match for match in locked}


def of_request(match: Match) -> dict[str, Any]:
    """The lookup of rows that belong to the request of `match`, of whichever kind."""
    if match.loan_request_id is not None:
        return {"loan_request": match.loan_request_id}
    return {"insurance_request": match.insurance_request_id}


def basket_numbers(match: Match) -> list[str]:
    """Application numbers of the patents that a loan pledges; insurance pledges none."""
    if match.loan_request_id is None:
        return []
    patents = match.patents.order_by("application_number")
    return list(patents.values_list("application_number", flat=True))


def _rivals(match: Match, numbers: list[str]) -> list[Any]:
    """Ids of the matches that cannot be done beside this one: the request's own, and loans of
    anybody that need one of the patents, whichever business registered it."""
    live = Match.objects.filter(status__in=SUPERSEDED_FROM).exclude(pk=match.pk)
    own = live.filter(**of_request(match)).values_list("pk", flat=True)
    needing = live.filter(
        loan_request__isnull=False, patents__application_number__in=numbers
    ).values_list("pk", flat=True)
    return [*own, *needing]


def _refuse_accepting(match: Match, terms: Terms, today: date) -> None:
    if match.status != MatchStatus.TERMS_OFFERED or terms.status != TermsStatus.OFFERED:
        raise MoneyRefused(MoneyRefusal.NOT_OFFERED)
    if terms.valid_until < today:
        raise MoneyRefused(MoneyRefusal.TERMS_EXPIRED, [terms.valid_until])
    if match.business.status == BusinessStatus.SUSPENDED:
        raise MoneyRefused(MoneyRefusal.BUSINESS_SUSPENDED)
    if match.institution.is_suspended:
        raise MoneyRefused(MoneyRefusal.INSTITUTION_SUSPENDED)
    ended = Patent.objects.filter(matches=match, status=PatentStatus.ENDED)
    numbers = list(ended.values_list("application_number", flat=True))
    if numbers:
        raise MoneyRefused(MoneyRefusal.PATENT_ENDED, numbers)


def _supersede(actor: Actor, accepted: Match, others: Iterable[Match]) -> None:
    ending = [match for match in others if match.status in SUPERSEDED_FROM]
    for match in ending:
        is_own = match.request == accepted.request
        because = "request_committed" if is_own else "patent_pledged"
        advance(MATCH, match, "supersede", actor=actor, data={"because": because})
        end_clock(match)
        notifications.match_superseded(match, accepted=accepted)
    capacity.release_all(actor=actor, matches=ending)
