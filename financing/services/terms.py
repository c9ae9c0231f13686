"""Terms on a match: a lender offers them, the clock ends them; called by the admin and the clocks.

Offering books the offer's capacity in the same transaction. Lock order: business, match, offer.
"""

from datetime import date

from django.db import transaction
from django.utils import timezone

from financing import notifications
from financing.lifecycles import MATCH
from financing.match_rows import with_criteria
from financing.models.loan_offers import LoanOffer
from financing.models.matches import Match
from financing.models.terms import Terms, TermsStatus
from financing.services import capacity
from financing.services.clocks import Stage, start_clock
from financing.services.consents import lock_business
from financing.services.offered_terms import OfferedTerms, validate_offered
from financing.services.studies import (
    StudyRefusal,
    StudyRefused,
    locked_for_lender,
    refuse_closed_identity,
    refuse_wrong_state,
)
from financing.terms_benchmarks import benchmark_columns
from financing.terms_costs import compare_with_posted
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.workflow.advance import advance


@transaction.atomic
def offer_terms(*, actor: Actor, match: Match, offered: OfferedTerms) -> Terms:
    """Bind the institution to these terms until `offered.valid_until`; what they book is booked.

    Raises TransitionRefused (not in study), StudyRefused (no open identity, institution suspended),
    ValidationError by field, and capacity.CapacityExhausted for the lender who comes too late.
    """
    lock_business(match.business_id)
    locked = locked_for_lender(actor, match)
    refuse_wrong_state(actor, locked, "offer_terms")
    refuse_closed_identity(locked)
    if locked.institution.is_suspended:
        raise StudyRefused(StudyRefusal.INSTITUTION_SUSPENDED)
    today = timezone.localdate()
    validate_offered(locked, offered, on=today)
    was_in_time = locked.deadline_on is None or today <= locked.deadline_on
    advance(MATCH, locked, "offer_terms", actor=actor)
    capacity.book(actor=actor, match=locked, amount=offered.amount)
    terms: Terms = Terms.objects.create(
        match=locked,
        amount=offered.amount,
        interest_rate_percent=offered.interest_rate_percent,
        term_months=offered.term_months,
        repayment_method=offered.repayment_method,
        day_count=offered.day_count,
        fees=offered.fee_rows,
        premium=offered.premium,
        excess_percent=offered.excess_percent,
        conditions=offered.conditions.strip(),
        valid_until=offered.valid_until,
        offered_by=actor.user,
        is_in_time=was_in_time,
        is_at_posted_cost=not is_dearer(locked, offered, on=today),
        **benchmark_columns(locked, offered, on=today),
    )
    record(
        Verb.TERMS_OFFERED,
        actor=actor,
        obj=terms,
        data={
            "match": str(locked.pk),
            "amount": terms.amount,
            "interest_rate_percent": terms.interest_rate_percent,
            "premium": terms.premium,
            "term_months": terms.term_months,
            "valid_until": str(terms.valid_until),
        },
    )
    start_clock(locked, Stage.TERMS, on=today)
    notifications.terms_offered(terms)
    return terms


@transaction.atomic
def end_terms(*, actor: Actor, match: Match) -> Terms | None:
    """Terms that ran past `valid_until` unanswered: they end, and their capacity is given back.

    The state of the match is not touched: the clock that calls this moves it. None where no terms
    are on offer, and so for a second call. The caller may hold the lock of the match already.
    """
    locked = Match.objects.select_for_update(of=("self",)).get(pk=match.pk)
    terms: Terms | None = Terms.objects.filter(match=locked, status=TermsStatus.OFFERED).first()
    if terms is None:
        return None
    capacity.release(actor=actor, match=locked)
    terms.refresh_from_db()
    record(Verb.TERMS_ENDED, actor=actor, obj=terms, data={"match": str(locked.pk)})
    notifications.terms_lapsed(terms)
    return terms


def is_dearer(match: Match, offered: OfferedTerms | Terms, *, on: date) -> bool:
    """Whether the terms cost the business more than the posted ones of the same offer would."""
    if match.loan_offer_id is not None:
        match.loan_offer = with_criteria(LoanOffer.objects.filter(pk=match.loan_offer_id)).get()
    return compare_with_posted(match, offered, on=on).is_dearer
