"""Policies: issued by the insurer, reminded of and renewed before they end (DOMAIN 3).

Called by the insurer's admin, the owner's pages and the clock. Lock order as in `acceptances`:
businesses, requests, matches, then what hangs on them, offers last.
"""

from collections import Counter
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from businesses.rules.patent_term import add_months
from financing import notifications
from financing.models.insurance_policies import RENEWAL_DAYS, InsurancePolicy
from financing.models.insurance_requests import InsuranceRequest
from financing.models.matches import Match, MatchStatus
from financing.models.requests import REQUEST_HOLDING_STATUSES, RequestStatus
from financing.services.acceptances import lock_matches
from financing.services.clock_rows import each_row, locked_row
from financing.services.completions import complete, standing_terms
from financing.services.money_refusals import MoneyRefusal, MoneyRefused
from financing.services.requests import copy_as_draft
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record

# A slip of the keyboard, not a judgement: cover begins soon after the terms were accepted.
MOST_DAYS_AHEAD = 90
IN_HAND = (RequestStatus.DRAFT.value, *REQUEST_HOLDING_STATUSES)


@transaction.atomic
def issue_policy(*, actor: Actor, match: Match, number: str, starts_on: date) -> InsurancePolicy:
    """The policy of the accepted terms; with it the match is complete and the request covered.

    Premium, sum insured and length are those of the terms. The same number and first day posted
    again are the same policy. Raises MoneyRefused as `check_policy`.
    """
    before = check_policy(match=match, number=number, starts_on=starts_on)
    if before is not None:
        return before
    locked, number = lock_matches([match.pk])[match.pk], number.strip()
    terms = standing_terms(locked)
    assert terms.premium is not None
    policy = InsurancePolicy.objects.create(
        match=locked,
        number=number,
        starts_on=starts_on,
        ends_on=last_day(starts_on, terms.term_months),
        premium=terms.premium,
        sum_insured=terms.amount,
    )
    data = {"match": str(locked.pk), "ends_on": str(policy.ends_on)}
    record(Verb.POLICY_ISSUED, actor=actor, obj=policy, data=data)
    complete(actor=actor, match=locked)
    notifications.policy_issued(policy)
    return policy


@transaction.atomic
def check_policy(*, match: Match, number: str, starts_on: date) -> InsurancePolicy | None:
    """What stands against issuing it is known before the insurer confirms.

    The policy that was issued so before, if it was. Locks business and match. Raises MoneyRefused:
    no insurance, not accepted, another policy there already, no number, a first day before
    acceptance or too far ahead.
    """
    locked = lock_matches([match.pk])[match.pk]
    number = number.strip()
    if locked.insurance_request_id is None:
        raise MoneyRefused(MoneyRefusal.NOT_AN_INSURANCE)
    before: InsurancePolicy | None = InsurancePolicy.objects.filter(match=locked).first()
    if before is not None:
        if (before.number, before.starts_on) == (number, starts_on):
            return before
        raise MoneyRefused(MoneyRefusal.POLICY_ISSUED, [before.number])
    if locked.status != MatchStatus.ACCEPTED:
        raise MoneyRefused(MoneyRefusal.NOT_ACCEPTED)
    if not number:
        raise MoneyRefused(MoneyRefusal.NUMBER_MISSING)
    terms = standing_terms(locked)
    assert terms.answered_at is not None
    accepted_on = timezone.localdate(terms.answered_at)
    if starts_on < accepted_on:
        raise MoneyRefused(MoneyRefusal.BEFORE_ACCEPTANCE, [accepted_on])
    latest = timezone.localdate() + timedelta(days=MOST_DAYS_AHEAD)
    if starts_on > latest:
        raise MoneyRefused(MoneyRefusal.TOO_FAR_AHEAD, [latest])
    return None


def last_day(starts_on: date, period_months: int) -> date:
    """The last day of cover: a year from 1 March ends on the last of February."""
    return add_months(starts_on, period_months) - timedelta(days=1)


@transaction.atomic
def renew(*, actor: Actor, policy: InsurancePolicy) -> InsuranceRequest:
    """A draft that asks for the next period; the one in hand, if there is one.

    Raises MoneyRefused before it is time, RequestRefused for a business that may not ask.
    """
    request = policy.match.insurance_request
    assert request is not None
    # The business before what hangs on it.
    lock_matches([policy.match_id])
    locked: InsurancePolicy = InsurancePolicy.objects.select_for_update(of=("self",)).get(
        pk=policy.pk
    )
    if timezone.localdate() < locked.renewable_on:
        raise MoneyRefused(MoneyRefusal.TOO_EARLY, [locked.renewable_on])
    begun: InsuranceRequest | None = locked.renewal_request
    if begun is not None and begun.status in IN_HAND:
        return begun
    draft = copy_as_draft(actor=actor, request=request)
    locked.renewal_request = draft
    locked.save(update_fields=["renewal_request"])
    data = {"renewed_by": draft.pk}
    record(Verb.RENEWAL_BEGUN, actor=actor, obj=locked, data=data)
    return draft


def run_renewals(now: datetime) -> Counter[str]:
    """Remind once of each cover that ends within sixty days and is not being renewed."""
    today = timezone.localdate(now)
    due = InsurancePolicy.objects.filter(
        renewal_reminded_at__isnull=True,
        renewal_request__isnull=True,
        ends_on__gte=today,
        ends_on__lte=today + timedelta(days=RENEWAL_DAYS),
    )

    def remind(pk: int) -> str:
        policy = locked_row(due, pk)
        if policy is None:
            return ""
        policy.renewal_reminded_at = now
        policy.save(update_fields=["renewal_reminded_at"])
        record(Verb.REMINDED, actor=Actor.CLOCK, obj=policy, data={"ends_on": str(policy.ends_on)})
        notifications.renewal_due(policy)
        return "renewal_reminded"

    return each_row(due, remind)
