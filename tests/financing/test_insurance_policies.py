"""From accepted terms to the policy, the reminder and the next period; and the whole way once."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from financing.models import InsuranceOffer, InsurancePolicy, InsuranceRequest, Match
from financing.services import (
    acceptances,
    incremental_runs,
    insurance_policies,
    matches,
    requests,
    studies,
)
from financing.services.clock_runs import run_clocks
from financing.services.money_refusals import MoneyRefused
from financing.services.terms import offer_terms
from sipo_portal.accounts.models import User
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.notices.models import Notice
from tests.factories.accounts import make_coordinator, make_owner
from tests.factories.businesses import make_business, make_patent
from tests.factories.financing import make_policy, make_staff
from tests.factories.insurance import (
    make_insurance_offer,
    make_insurance_policy_of_the_day,
    make_insurance_request,
    make_insurer,
)
from tests.factories.money import make_accepted, make_terms, owner_of, staff_of
from tests.factories.offices import make_office
from tests.factories.studies import consent_of_all, make_insurance_referral, offered
from tests.financing.at_once import at_once

pytestmark = pytest.mark.django_db

BEIJING = ZoneInfo("Asia/Shanghai")


@pytest.fixture(autouse=True)
def policy_of_the_day():
    with translation.override("en"):
        yield make_insurance_policy_of_the_day()


@pytest.fixture
def match():
    return make_accepted(make_insurance_referral("terms_offered", is_open=True))


@pytest.fixture
def today():
    return timezone.localdate()


def issue(match, today, **fields):
    values = {"number": "PIC-2026-001", "starts_on": today} | fields
    return insurance_policies.issue_policy(actor=staff_of(match), match=match, **values)


def signed_in(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def noon(day):
    return datetime.combine(day, time(12), BEIJING)


# --- issuing --------------------------------------------------------------------------------------


def test_the_policy_takes_the_terms_and_covers_the_request(match, today):
    policy = issue(match, today, number="  PIC-1 ")
    terms = match.terms.get()
    match.refresh_from_db()
    request = InsuranceRequest.objects.get(pk=match.insurance_request_id)
    assert (match.status, request.status) == ("completed", "covered")
    assert (policy.number, policy.premium, policy.sum_insured) == (
        "PIC-1",
        terms.premium,
        terms.amount,
    )
    # A year of cover: the day before the anniversary is the last.
    assert policy.ends_on == today.replace(year=today.year + 1) - timedelta(days=1)
    assert InsuranceOffer.objects.get().booked_amount == terms.amount
    assert AuditEvent.objects.filter(verb="insurance_policy.issued").count() == 1
    told = Notice.objects.filter(kind="policy_issued_owner")
    assert [notice.recipient for notice in told] == [owner_of(match).user]


def test_issued_twice_it_is_one_policy(match, today):
    assert issue(match, today) == issue(match, today)
    with pytest.raises(MoneyRefused) as refused:
        issue(match, today, number="PIC-2026-002")
    assert (refused.value.code, refused.value.details) == ("policy_issued", ("PIC-2026-001",))
    assert InsurancePolicy.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_issue_one_policy(today):
    make_policy()
    match = make_accepted(make_insurance_referral("terms_offered", is_open=True))
    outcomes = at_once([lambda: issue(match, today), lambda: issue(match, today)])
    assert InsurancePolicy.objects.count() == 1
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]


@pytest.mark.parametrize(
    ("number", "days_ahead", "code"),
    [
        ("  ", 0, "number_missing"),
        ("P-1", -1, "before_acceptance"),
        ("P-1", 91, "too_far_ahead"),
    ],
)
def test_what_cannot_be_issued(match, today, number, days_ahead, code):
    with pytest.raises(MoneyRefused) as refused:
        issue(match, today + timedelta(days=days_ahead), number=number)
    assert refused.value.code == code
    assert not InsurancePolicy.objects.exists()


def test_no_policy_before_acceptance(today):
    match = make_terms(make_insurance_referral("terms_offered", is_open=True)).match
    with pytest.raises(MoneyRefused) as refused:
        issue(match, today)
    assert refused.value.code == "not_accepted"


def test_the_insurer_issues_it_in_the_admin(match, today):
    client = signed_in(staff_of(match).user)
    page = reverse("admin:financing_referral_change", args=[match.pk])
    step = reverse("admin:financing_referral_step", args=[match.pk, "policy"])
    assert step in client.get(page).content.decode()
    early = {"number": "P-9", "starts_on": str(today - timedelta(days=1))}
    # Told before anything is confirmed, and again if it is.
    for typed in (early, early | {"is_confirmed": "1"}):
        assert "cannot be before" in client.post(step, typed).content.decode()
    typed = {"number": "P-9", "starts_on": str(today)}
    asked = client.post(step, typed)
    assert "3,000.00" in asked.content.decode()
    assert not InsurancePolicy.objects.exists()
    done = client.post(step, typed | {"is_confirmed": "1"}, follow=True).content.decode()
    assert "The policy P-9 is issued until" in done
    assert InsurancePolicy.objects.get().match_id == match.pk
    assert step not in client.get(page).content.decode()


def test_another_insurer_s_staff_find_nothing(match):
    step = reverse("admin:financing_referral_step", args=[match.pk, "policy"])
    rival = signed_in(make_staff(make_insurer()))
    assert rival.get(step).status_code == 404
    assert rival.post(step, {"number": "P", "is_confirmed": "1"}).status_code == 404


# --- the next period ------------------------------------------------------------------------------


def test_the_clock_reminds_sixty_days_before_the_end_and_only_once(match, today):
    policy = issue(match, today)
    due_on = policy.ends_on - timedelta(days=60)
    assert run_clocks(now=noon(due_on - timedelta(days=1)))["renewal_reminded"] == 0
    assert run_clocks(now=noon(due_on))["renewal_reminded"] == 1
    assert run_clocks(now=noon(due_on + timedelta(days=1)))["renewal_reminded"] == 0
    notice = Notice.objects.get(kind="renewal_due_owner")
    assert notice.path == reverse("financing:owner_match", args=[match.pk])
    assert notice.payload["number"] == policy.number


def test_nobody_is_reminded_of_what_ended_or_is_renewed(match, today):
    policy = issue(match, today)
    assert insurance_policies.run_renewals(noon(policy.ends_on + timedelta(days=1))) == {}
    policy.renewal_request = make_insurance_request(match.business, status="draft")
    policy.save()
    assert insurance_policies.run_renewals(noon(policy.ends_on)) == {}


def test_the_owner_asks_for_the_next_period_from_the_page(match, today):
    policy = issue(match, today)
    owner = signed_in(owner_of(match).user)
    page = reverse("financing:owner_match", args=[match.pk])
    renew = reverse("financing:insurance_policy_renew", args=[policy.pk])
    assert renew not in owner.get(page).content.decode()
    early = owner.post(renew, follow=True).content.decode()
    assert "You can ask for the next period from" in early
    assert not InsuranceRequest.objects.filter(status="draft").exists()

    InsurancePolicy.objects.update(
        starts_on=today - timedelta(days=310), ends_on=today + timedelta(days=55)
    )
    assert renew in owner.get(page).content.decode()
    assert "Ask for the next period" in owner.get(reverse("home")).content.decode()
    begun = owner.post(renew)
    again = owner.post(renew)
    draft = InsuranceRequest.objects.get(status="draft")
    assert begun.url == again.url
    assert begun.url == reverse("financing:insurance_request_detail", args=[draft.pk])
    policy.refresh_from_db()
    old = policy.match.insurance_request
    assert policy.renewal_request == draft
    assert (draft.cover_kind, draft.sum_insured) == (old.cover_kind, old.sum_insured)
    assert list(draft.patents.all()) == list(old.patents.all())
    assert renew not in owner.get(page).content.decode()
    # The cover that stands is no request in hand: the next one goes out beside it.
    requests.submit(actor=owner_of(match), request=draft)
    draft.refresh_from_db()
    assert draft.status == "submitted"


def test_a_stranger_cannot_renew(match, today):
    policy = issue(match, today)
    renew = reverse("financing:insurance_policy_renew", args=[policy.pk])
    assert signed_in(make_owner()).post(renew).status_code == 404
    assert signed_in(staff_of(match).user).post(renew).status_code == 403


# --- the whole way --------------------------------------------------------------------------------


def test_from_the_request_to_the_policy():
    owner = make_owner()
    business = make_business(owner=owner, status="verified")
    patent = make_patent(business, status="verified", register_extract_on=timezone.localdate())
    insurer = make_insurer()
    staff = make_staff(insurer)
    offer = make_insurance_offer(insurer)
    coordinator = make_coordinator(make_office("320000"))
    request = make_insurance_request(business, [patent], status="draft")

    requests.submit(actor=Actor.of(owner), request=request)
    incremental_runs.match_insurance_request(request.pk)
    proposal = request.proposals.get()
    assert (proposal.saving, proposal.patent_ids) == (Decimal(860), [patent.pk])
    match = matches.claim(actor=Actor.of(coordinator), proposal=proposal)
    matches.approve(actor=Actor.of(coordinator), match=match)
    consent_of_all(match)
    match = Match.objects.get(pk=match.pk)
    studies.study(actor=Actor.of(staff), match=match)
    terms = offer_terms(
        actor=Actor.of(staff), match=match, offered=offered(match, premium=Decimal(1000))
    )
    assert terms.is_at_posted_cost
    assert InsuranceOffer.objects.get().booked_amount == Decimal(100_000)
    acceptances.accept_terms(actor=Actor.of(owner), terms=terms)
    policy = issue(match, timezone.localdate())
    request.refresh_from_db()
    offer.refresh_from_db()
    assert (request.status, policy.premium) == ("covered", Decimal(1000))
    assert (offer.booked_amount, offer.booked_count) == (Decimal(100_000), 1)
    assert not match.pledges.exists()
