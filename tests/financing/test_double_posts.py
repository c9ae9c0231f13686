"""The same form posted twelve times at once: one object, one act, the same answer (QUALITY 2).

Through the pages, with the session of one browser, in real threads on a real PostgreSQL.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from businesses.models import Business, Patent
from financing.models import (
    Consent,
    Drawdown,
    Goal,
    GuaranteeOffer,
    InsuranceOffer,
    LoanOffer,
    LoanRequest,
    Match,
    MatchDecision,
    MatchRun,
    Pledge,
    Question,
)
from tests.factories.accounts import make_coordinator, make_owner
from tests.factories.businesses import (
    credit_code,
    make_business,
    make_office,
    make_region,
    patent_number,
)
from tests.factories.financing import (
    make_institution,
    make_loan_offer,
    make_loan_request,
    make_match,
    make_policy,
    make_proposal,
    make_staff,
    make_system_admin,
)
from tests.factories.money import (
    draw,
    make_accepted,
    make_completed,
    make_terms,
    register_all,
)
from tests.factories.studies import make_referral
from tests.financing.posting import Post, of_match, refer, refuse_more_than_one, step
from tests.financing.test_insurance_offer_admin import typed as insurance_offer_typed
from tests.financing.test_loan_offer_admin import typed as loan_offer_typed

pytestmark = pytest.mark.django_db(transaction=True)


def registering() -> Post:
    make_region("320505")
    data = {
        "credit_code": credit_code(),
        "name": "苏州示范有限公司",
        "established_on": "2016-05-20",
        "province": "320000",
        "region": "320505",
        "industry": "C39",
        "contact_name": "王小明",
        "contact_phone": "0512-5550",
    }
    url = reverse("businesses:register")
    return Post(make_owner(), url, "business.registered", data, Business.objects.all())


def adding_a_patent() -> Post:
    business = make_business()
    data = {
        "application_number": patent_number("utility_model", 2021),
        "title": "一种阀门",
        "filed_on": "2021-05-03",
        "granted_on": "2022-01-07",
        "annuity_paid_through_year": "6",
        "annuity_relief_percent": "85",
        "ipc_main": "F16K 1/00",
    }
    url = reverse("businesses:patent_add", args=[business.pk])
    return Post(business.members.get().user, url, "patent.added", data, Patent.objects.all())


def starting_a_request() -> Post:
    business = make_business()
    url = reverse("financing:request_start")
    data = {"business": business.pk}
    user = business.members.get().user
    return Post(user, url, "request.saved", data, LoanRequest.objects.all())


def submitting() -> Post:
    request = make_loan_request(status="draft")
    url = reverse("financing:request_submit", args=[request.pk])
    return Post(request.business.members.get().user, url, "request.submit", {})


def withdrawing() -> Post:
    request = make_match().loan_request
    url = reverse("financing:request_withdraw", args=[request.pk])
    return Post(request.business.members.get().user, url, "request.withdraw", {})


def claiming() -> Post:
    proposal = make_proposal()
    url = reverse("financing:match_claim", args=[proposal.loan_request_id, proposal.loan_offer_id])
    return Post(make_coordinator(make_office()), url, "match.claimed", {}, Match.objects.all())


def in_review(name: str, verb: str, **data: Any) -> Post:
    coordinator = make_coordinator(make_office())
    match = make_match(claimed_by=coordinator, claimed_at=timezone.now())
    url = reverse(f"financing:{name}", args=[match.pk])
    return Post(coordinator, url, verb, data, MatchDecision.objects.all())


def approving() -> Post:
    return in_review("match_approve", "match.approve")


def rejecting() -> Post:
    return in_review("match_reject", "match.reject", reason="facts_doubtful")


def running() -> Post:
    coordinator = make_coordinator(make_office())
    url = reverse("financing:run_start")
    return Post(coordinator, url, "run.requested", {}, MatchRun.objects.all())


def consenting() -> Post:
    return of_match(make_referral(), "consent_give", "consent.given", Consent.objects.all())


def accepting() -> Post:
    terms = make_terms()
    data = {"terms": terms.pk, "is_confirmed": "on"}
    return of_match(terms.match, "terms_accept", "match.accept", Pledge.objects.all(), **data)


def declining_terms() -> Post:
    terms = make_terms()
    data = {"terms": terms.pk, "reason": "better_alternative"}
    return of_match(terms.match, "terms_decline", "match.decline_terms", **data)


def confirming_delivery() -> Post:
    match = make_completed()
    return of_match(match, "delivery_confirm", "delivery.confirmed", is_as_agreed="yes")


def interested() -> Post:
    return step(make_referral(), "interest", "match.interest_declared")


def studying() -> Post:
    return step(make_referral(is_open=True), "study", "match.study")


def asking() -> Post:
    match = make_referral("in_study", is_open=True)
    return step(match, "ask", "question.asked", Question.objects.all(), text="账目？")


def drawing() -> Post:
    match = refer(make_accepted())
    register_all(match)
    data = {
        "amount": "1000",
        "drawn_on": timezone.localdate().isoformat(),
        "reference": "RB-1",
        "is_confirmed": "1",
    }
    return step(match, "drawdown", "drawdown.recorded", Drawdown.objects.all(), **data)


def completing() -> Post:
    match = refer(make_accepted())
    register_all(match)
    draw(match)
    return step(match, "complete", "match.complete", is_confirmed="1")


def posting_a_loan_offer() -> Post:
    url = reverse("admin:financing_loanoffer_add")
    made = LoanOffer.objects.all()
    return Post(make_staff(), url, "offer.saved", loan_offer_typed(industries="C39"), made)


def posting_an_insurance_offer() -> Post:
    url = reverse("admin:financing_insuranceoffer_add")
    made = InsuranceOffer.objects.all()
    staff = make_staff(make_institution("insurer"))
    return Post(staff, url, "offer.saved", insurance_offer_typed(industries="C39"), made)


def posting_a_guarantee() -> Post:
    data = {
        "name": "担保",
        "opens_on": timezone.localdate().isoformat(),
        "share_percent": "70.5",
        "fee_percent": "0.8",
        "loss_guarantor": "60",
        "loss_bank": "40",
        "loan_offers": [make_loan_offer().pk],
        "size_classes": ["micro"],
    }
    url = reverse("admin:financing_guaranteeoffer_add")
    staff = make_staff(make_institution("guarantor"))
    return Post(staff, url, "offer.saved", data, GuaranteeOffer.objects.all())


def setting_a_goal() -> Post:
    data = {
        "office": make_office().pk,
        "product": "insurance",
        "starts_on": "2026-01-01",
        "ends_on": "2026-12-31",
        "business_count": "30",
        "amount": "1,200",
    }
    url = reverse("admin:financing_goal_add")
    return Post(make_system_admin(), url, "goal.set", data, Goal.objects.all())


POSTS: tuple[Callable[[], Post], ...] = (
    registering,
    adding_a_patent,
    starting_a_request,
    submitting,
    withdrawing,
    claiming,
    approving,
    rejecting,
    running,
    consenting,
    accepting,
    declining_terms,
    confirming_delivery,
    interested,
    studying,
    asking,
    drawing,
    completing,
    posting_a_loan_offer,
    posting_an_insurance_offer,
    posting_a_guarantee,
    setting_a_goal,
)


@pytest.mark.parametrize("make", POSTS)
def test_posted_twelve_times_at_once_it_is_one(make):
    make_policy()

    refuse_more_than_one(make())
