"""Accepting the terms of an insurance: nothing is pledged, the policy completes it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from financing.models import InsuranceOffer, InsurancePolicy, Pledge
from financing.services import acceptances, completions
from financing.services.matches import Reason
from financing.services.money_refusals import MoneyRefused
from financing.terms_comparison import compare_terms
from tests.factories.financing import make_policy
from tests.factories.money import make_terms, owner_of, staff_of
from tests.factories.studies import make_insurance_referral
from tests.financing.money_steps import statuses

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy():
    with translation.override("en"):
        yield make_policy()


@pytest.fixture
def terms():
    return make_terms(make_insurance_referral("terms_offered"))


def accept(terms):
    return acceptances.accept_terms(actor=owner_of(terms.match), terms=terms)


def issue(match):
    today = timezone.localdate()
    return InsurancePolicy.objects.create(
        match=match,
        number="P-1",
        starts_on=today,
        ends_on=today + timedelta(days=364),
        premium=match.terms.get().premium,
        sum_insured=match.terms.get().amount,
    )


def booked(match):
    offer = InsuranceOffer.objects.get(pk=match.insurance_offer_id)
    return offer.booked_amount, offer.booked_count


def test_acceptance_commits_the_request_and_pledges_nothing(terms):
    match = accept(terms)

    assert statuses(match, match.insurance_request, terms) == ["accepted", "committed", "accepted"]
    assert not Pledge.objects.exists()
    assert booked(match) == (terms.amount, 1)


def test_the_issued_policy_completes_it_and_the_sum_insured_stays_booked(terms):
    match = accept(terms)
    with pytest.raises(MoneyRefused) as refused:
        completions.complete(actor=staff_of(match), match=match)
    assert refused.value.code == "no_policy_issued"

    issue(match)
    completions.complete(actor=staff_of(match), match=match)

    assert statuses(match, match.insurance_request) == ["completed", "covered"]
    assert booked(match) == (terms.amount, 1)


def test_no_money_is_drawn_down_for_an_insurance(terms):
    match = accept(terms)

    with pytest.raises(MoneyRefused) as refused:
        completions.record_drawdown(
            actor=staff_of(match),
            match=match,
            amount=Decimal(1),
            drawn_on=timezone.localdate(),
            reference="A",
        )

    assert refused.value.code == "not_a_loan"


def test_falling_through_gives_everything_back(terms):
    match = accept(terms)

    completions.fall_through(actor=owner_of(match), match=match, reason=Reason("no_longer_needed"))

    assert statuses(match, match.insurance_request, terms) == ["fallen_through", "open", "ended"]
    assert booked(match) == (0, 0)


def test_the_premium_is_compared_with_the_posted_one(terms):
    compared = compare_terms(terms.match, terms, on=timezone.localdate())

    premium = compared.rows[0]
    assert str(premium.label) == "Premium"
    assert "3,000.00" in premium.offered
    assert premium.difference


def test_the_owner_accepts_on_the_page(terms):
    client = Client(headers={"accept-language": "en"})
    client.force_login(owner_of(terms.match).user)
    url = reverse("financing:terms_accept", args=[terms.match.pk])

    asked = client.get(url).content.decode()
    assert "Patents that are pledged" not in asked
    done = client.post(url, {"terms": terms.pk}, follow=True).content.decode()

    assert "You have accepted the terms" in done
    assert statuses(terms.match) == ["accepted"]
