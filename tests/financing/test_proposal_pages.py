"""Offers as the owner of a request sees them: why they fit, what they cost, what nearly fits."""

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from financing.costs import offer_cost
from sipo_portal.ui import formats
from tests.factories.accounts import make_owner
from tests.factories.businesses import make_appraisal, make_business, make_patent
from tests.factories.financing import (
    make_institution,
    make_loan_offer,
    make_loan_request,
    make_match,
    make_policy,
    make_proposal,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(language="en")


@pytest.fixture
def policy():
    return make_policy()


@pytest.fixture
def loan_request(owner, policy):
    return make_loan_request(make_business(owner=owner))


@pytest.fixture
def browser(client, owner):
    client.force_login(owner)
    return client


def offers_page(browser, loan_request, **query):
    response = browser.get(reverse("financing:request_offers", args=[loan_request.pk]), query)
    assert response.status_code == 200
    return response.content.decode()


def offer_page(browser, loan_request, offer):
    response = browser.get(reverse("financing:request_offer", args=[loan_request.pk, offer.pk]))
    assert response.status_code == 200
    return re.sub(r"[ \n]+", " ", response.content.decode())


def test_every_offer_is_there_with_what_became_of_it(browser, loan_request):
    proposed = make_loan_offer(name="Proposed one")
    make_proposal(loan_request, proposed)
    make_match(loan_request, make_loan_offer(name="In hand one"))
    make_loan_offer(name="Fitting one")
    make_loan_offer(name="Longer one", min_term_months=24)
    make_loan_offer(name="Elsewhere one", regions=["110000"])
    make_loan_offer(name="Draft one", status="draft")

    text = offers_page(browser, loan_request)

    for name in ("Proposed one", "In hand one", "Fitting one", "Longer one", "Elsewhere one"):
        assert name in text
    assert "Draft one" not in text
    assert "3 fit, 1 nearly fit, 1 do not fit." in text
    assert "Change the term from 12 months to 2 years." in text
    assert "The offer is for other regions" in text


@pytest.mark.parametrize(
    ("outcome", "shown"), [("fits", "Fitting"), ("near", "Longer"), ("refused", "Elsewhere")]
)
def test_the_list_is_filtered_and_nonsense_is_ignored(browser, loan_request, outcome, shown):
    make_loan_offer(name="Fitting one")
    make_loan_offer(name="Longer one", min_term_months=24)
    make_loan_offer(name="Elsewhere one", regions=["110000"])

    text = offers_page(browser, loan_request, outcome=outcome)
    assert f"{shown} one" in text
    assert text.count(" one</p>") == 1

    everything = offers_page(browser, loan_request, outcome="'; --", sort="x", page="many")
    assert everything.count(" one</p>") == 3


def test_the_order_can_be_chosen(browser, loan_request):
    cheap = make_loan_offer(
        make_institution(name="Zeta Bank", name_en="Zeta Bank"), interest_rate_percent=Decimal(2)
    )
    dear = make_loan_offer(make_institution(name="Alpha Bank", name_en="Alpha Bank"))

    by_saving = offers_page(browser, loan_request, sort="saving")
    by_name = offers_page(browser, loan_request, sort="institution")

    assert by_saving.index(cheap.name) < by_saving.index(dear.name)
    assert by_name.index(dear.name) < by_name.index(cheap.name)


def test_one_offer_shows_its_exact_cost_against_the_benchmark(browser, loan_request, policy):
    offer = make_loan_offer(
        fees=[{"kind": "service", "payer": "borrower", "timing": "upfront", "amount": 1200}]
    )
    cost = offer_cost(offer, Decimal(1_000_000), 12, timezone.localdate(), policy)

    text = offer_page(browser, loan_request, offer)

    assert formats.percent(cost.apr_percent, 2) in text
    assert f"CNY\u00a0{cost.cost.total_cost:,.2f}" in text
    assert f"CNY\u00a0{cost.saving:,.2f}" in text
    assert "CNY\u00a01,200.00" in text
    assert "At drawdown" in text
    assert "Borrower" in text
    assert "Benchmark" in text
    assert "The institution serves the region of the business." in text


def test_a_proposal_out_of_reach_of_the_rules_says_what_would_change_it(browser, loan_request):
    offer = make_loan_offer(min_term_months=24)

    text = offer_page(browser, loan_request, offer)

    assert "Change the term from 12 months to 2 years." in text
    assert "The offer lends for 2 years or longer; asked for: 12 months." in text
    assert reverse("financing:request_change", args=[loan_request.pk]) in text
    assert "What it really costs" not in text


def test_an_unpaid_annuity_leads_to_the_patent(browser, owner, policy):
    business = make_business(owner=owner)
    patent = make_patent(business, annuity_paid_through_year=None)
    make_appraisal(patent, 5_000_000)
    request = make_loan_request(business, [patent])
    offer = make_loan_offer()

    text = offer_page(browser, request, offer)

    assert f"Pay the annuity of {patent.title}" in text
    assert reverse("businesses:patent_detail", args=[patent.pk]) in text


def test_a_proposal_leads_to_its_lasting_address(browser, loan_request):
    proposal = make_proposal(loan_request)

    response = browser.get(reverse("financing:proposal_detail", args=[proposal.pk]))

    assert response.url == reverse(
        "financing:request_offer", args=[loan_request.pk, proposal.loan_offer_id]
    )


def test_the_page_of_the_request_gets_the_best_offers_alone(browser, loan_request):
    make_proposal(loan_request, make_loan_offer(name="Proposed one"), is_provisional=True)
    make_loan_offer(name="Longer one", min_term_months=24)
    make_loan_offer(name="Elsewhere one", regions=["110000"])

    response = browser.get(
        reverse("financing:request_offers", args=[loan_request.pk]), HTTP_HX_REQUEST="true"
    )
    text = response.content.decode()

    assert "<html" not in text
    assert "Proposed one" in text
    assert "Provisional" in text
    assert "Longer one" in text
    assert "Elsewhere one" not in text


def test_an_incomplete_draft_has_no_offers_yet(browser, owner, policy):
    draft = make_loan_request(
        make_business(owner=owner), status="draft", principal=None, least_accepted=None
    )
    detail = reverse("financing:request_detail", args=[draft.pk])

    assert browser.get(reverse("financing:request_offers", args=[draft.pk])).url == detail
    offer = make_loan_offer()
    assert browser.get(reverse("financing:request_offer", args=[draft.pk, offer.pk])).url == detail


def test_without_a_policy_the_page_says_so(browser, owner):
    request = make_loan_request(make_business(owner=owner))
    offer = make_loan_offer()

    assert "Matching is not set up yet" in offers_page(browser, request)
    assert "Matching is not set up yet" in offer_page(browser, request, offer)


def test_the_queries_do_not_grow_with_the_offers(browser, loan_request):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            offers_page(browser, loan_request)
        return len(captured)

    make_loan_offer(regions=["110000"])
    few = queries()
    for _number in range(4):
        make_loan_offer(regions=["110000"])
        make_loan_offer(fees=[{"kind": "service", "percent": 1}])
    assert queries() <= few + 1
