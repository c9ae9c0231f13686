"""The share of an offer's referrals that were answered as posted, by every way they can end."""

from datetime import timedelta

import pytest
from django.utils import timezone

from financing.delivery_shares import delivery_shares_ppm
from financing.match_rows import loan_offer_rows, with_criteria
from financing.models import Disclosure, LoanOffer, Match, Question
from financing.services import acceptances, completions, deliveries
from financing.services.matches import Reason, decide
from tests.factories.financing import make_loan_offer, make_loan_request, make_match, make_policy
from tests.factories.money import (
    make_accepted,
    make_completed,
    make_terms,
    owner_of,
    staff_of,
    staff_user,
)

pytestmark = pytest.mark.django_db

NOT_DUE, KEPT, BROKEN = None, 1_000_000, 0


@pytest.fixture(autouse=True)
def policy():
    return make_policy()


def referred(status="referred", **fields):
    return make_match(make_loan_request(), make_loan_offer(), status=status, **fields)


def share(match, prior_count=0):
    """Of the match's offer, where no referral is taken as kept before there is evidence."""
    shares = delivery_shares_ppm(
        [match.loan_offer_id], timezone.localdate(), prior_count=prior_count
    )
    return shares.get(match.loan_offer_id)


def terms_of(**fields):
    return make_terms(referred("terms_offered"), **fields).match


def declined():
    match = referred("declined")
    decide(staff_of(match), match, "decline", Reason("outside_appetite"))
    return match


def declined_by_business():
    terms = make_terms(referred("terms_offered"))
    reason = Reason("better_alternative")
    return acceptances.decline_terms(actor=owner_of(terms.match), terms=terms, reason=reason)


def open_identity(match):
    Disclosure.objects.create(
        match=match, institution=match.institution, stage="identity", fields={}
    )
    return match


def waiting():
    match = open_identity(referred("expired", interested_at=timezone.now()))
    Question.objects.create(match=match, text="?", asked_by=staff_user(match))
    return match


def late(**fields):
    return referred(deadline_on=timezone.localdate() - timedelta(days=1), **fields)


def broken_off(by):
    match = make_accepted(referred("terms_offered"))
    actor = {"staff": staff_of, "owner": owner_of}[by](match)
    return completions.fall_through(actor=actor, match=match, reason=Reason("business_not_ready"))


def delivered(**fields):
    match = make_completed(referred("terms_offered"))
    deliveries.confirm_delivery(actor=owner_of(match), match=match, **fields)
    return match


CASES = {
    "just referred": (referred, NOT_DUE),
    "in time until its day": (lambda: referred(deadline_on=timezone.localdate()), NOT_DUE),
    "in review": (lambda: referred("in_review"), NOT_DUE),
    "withdrawn": (lambda: referred("withdrawn"), NOT_DUE),
    "superseded": (lambda: referred("superseded"), NOT_DUE),
    "declined": (declined, BROKEN),
    "silent": (lambda: referred("expired"), BROKEN),
    "late": (late, BROKEN),
    "late, the business is awaited": (lambda: late(interested_at=timezone.now()), NOT_DUE),
    "business never consented": (
        lambda: referred("expired", interested_at=timezone.now()),
        NOT_DUE,
    ),
    "silent in study": (
        lambda: open_identity(referred("expired", interested_at=timezone.now())),
        BROKEN,
    ),
    "business never answered": (waiting, NOT_DUE),
    "terms": (terms_of, KEPT),
    "terms late": (lambda: terms_of(is_in_time=False), BROKEN),
    "terms dearer": (lambda: terms_of(is_at_posted_cost=False), BROKEN),
    "terms declined by the business": (declined_by_business, KEPT),
    "broken off by the lender": (lambda: broken_off("staff"), BROKEN),
    "broken off by the business": (lambda: broken_off("owner"), KEPT),
    "completed": (lambda: make_completed(referred("terms_offered")), KEPT),
    "as agreed": (lambda: delivered(is_as_agreed=True), KEPT),
    "different": (lambda: delivered(is_as_agreed=False, text="dearer"), BROKEN),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_referral_says_of_its_offer(case):
    make, expected = CASES[case]

    assert share(make()) == expected


def test_the_share_is_smoothed_and_reaches_the_matcher():
    match = declined()

    assert share(match, prior_count=10) == 10 * 1_000_000 // 11
    offers = list(with_criteria(LoanOffer.objects.order_by("pk")))
    make_loan_offer()
    rows = loan_offer_rows([*offers, LoanOffer.objects.last()], timezone.localdate())
    assert [row.delivery_ppm for row in rows] == [909_090, 1_000_000]


def test_all_offers_in_one_query(django_assert_num_queries):
    ids = [declined().loan_offer_id for _each in range(3)]

    with django_assert_num_queries(1):
        shares = delivery_shares_ppm(ids, timezone.localdate(), prior_count=1)

    assert shares == dict.fromkeys(ids, 500_000)
    assert Match.objects.count() == 3
