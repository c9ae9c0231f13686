"""The owner's pages from the terms on: comparing, accepting, declining, following, confirming."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from financing.models import Delivery, LoanOffer, Match
from financing.services import completions
from financing.terms_comparison import compare_terms, fees_by_payer
from financing.terms_costs import offered_loan_terms
from tests.factories.financing import make_loan_offer, make_loan_request, make_match, make_policy
from tests.factories.money import (
    draw,
    make_accepted,
    make_completed,
    make_rival,
    make_terms,
    owner_of,
    register_all,
    staff_of,
)
from tests.financing.money_steps import statuses

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy():
    return make_policy()


def client_of(match):
    client = Client(headers={"accept-language": "en"})
    client.force_login(owner_of(match).user)
    return client


def page(match, name="owner_match"):
    response = client_of(match).get(reverse(f"financing:{name}", args=[match.pk]), follow=True)
    assert response.status_code == 200
    return response.content.decode()


def post(match, name, **data):
    url = reverse(f"financing:{name}", args=[match.pk])
    return client_of(match).post(url, data, follow=True)


def accept(terms, shown=None):
    return post(terms.match, "terms_accept", terms=terms.pk if shown is None else shown)


def row_of(terms, label):
    compared = compare_terms(terms.match, terms, on=timezone.localdate())
    return next(row for row in compared.rows if str(row.label) == label)


# --- side by side -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "words", "tone"),
    [
        ("3.000", "as posted", ""),
        ("3.500", "dearer than posted by 0.5 percentage points", "attention"),
        ("2.750", "cheaper than posted by 0.25 percentage points", "good"),
    ],
)
def test_the_difference_of_the_rate_is_said_in_words(settings, rate, words, tone):
    settings.LANGUAGE_CODE = "en"
    terms = make_terms(interest_rate_percent=Decimal(rate))

    row = row_of(terms, "Interest rate")

    assert (row.posted, row.difference, row.tone) == ("3.00%", words, tone)


def test_fees_are_summed_by_payer_and_count_in_the_cost(settings):
    settings.LANGUAGE_CODE = "en"
    fees = [
        {"kind": "service", "payer": "borrower", "timing": "yearly", "amount": "100.00"},
        {"kind": "guarantee", "payer": "borrower", "timing": "upfront", "percent": "0.5"},
        {"kind": "registration", "payer": "public", "timing": "upfront", "amount": "300"},
    ]
    terms = make_terms(amount=Decimal(1_000_000), term_months=24, fees=fees)

    sums = fees_by_payer(offered_loan_terms(terms, timezone.localdate()))
    assert sums == {"borrower": Decimal(5200), "public": Decimal(300)}
    mine = row_of(terms, "Fees you pay")
    assert "5,200.00" in mine.offered
    assert "5,200.00" in mine.difference
    assert mine.tone == "attention"
    assert "300.00" in row_of(terms, "Fees paid by: Public funds").offered
    assert row_of(terms, "Costs in all").difference == mine.difference
    assert row_of(terms, "Saved against the benchmark").tone == "attention"


def test_the_page_shows_both_sides_and_by_when_to_answer():
    until = timezone.localdate() + timedelta(days=14)
    terms = make_terms(interest_rate_percent=Decimal("3.500"), amount=Decimal(800_000))

    content = page(terms.match)

    assert "Dearer than posted by" in content
    assert "CNY&nbsp;800,000.00 are offered" in content.replace("\u00a0", "&nbsp;")
    assert f"They stand until {until.day} {until:%B %Y}" in content
    assert reverse("financing:terms_accept", args=[terms.match.pk]) in content


def test_terms_that_ran_out_cannot_be_accepted_on_the_page():
    terms = make_terms(valid_until=timezone.localdate() - timedelta(days=1))

    content = page(terms.match)

    assert "these terms can no longer be accepted" in content
    assert reverse("financing:terms_accept", args=[terms.match.pk]) not in content
    assert "do not stand any more" in page(terms.match, "terms_accept")


# --- accepting ----------------------------------------------------------------------------------


def test_the_confirmation_says_what_is_pledged_and_what_ends():
    request = make_loan_request()
    terms = make_terms(make_match(request, make_loan_offer(), status="terms_offered"))
    other = make_match(request, make_loan_offer(), status="in_study")
    stranger = make_rival(list(request.patents.all()))

    content = page(terms.match, "terms_accept")

    assert f"ZL{request.patents.get().application_number}" in content
    assert other.institution.label in content
    assert stranger.institution.label not in content
    assert "Your other matches that end" in content


def test_accepting_on_the_page():
    terms = make_terms()

    content = accept(terms).content.decode()

    assert statuses(terms.match, terms) == ["accepted", "accepted"]
    assert "You have accepted the terms" in content
    assert "Money so far" in content
    assert "not registered yet" in content


@pytest.mark.parametrize("value", ["", "0", "x", "1e309", "９"])
def test_only_the_terms_that_were_shown_are_accepted(value):
    terms = make_terms()

    content = accept(terms, shown=value).content.decode()

    assert "have changed since you opened the page" in content
    assert statuses(terms.match) == ["terms_offered"]


def test_a_patent_pledged_meanwhile_is_a_message_and_changes_nothing():
    first = make_terms()
    rival = make_terms(make_rival(list(first.match.patents.all())))
    Match.objects.filter(pk=rival.match.pk).update(status="accepted")
    accept(first)
    Match.objects.filter(pk=rival.match.pk).update(status="terms_offered")

    content = accept(rival).content.decode()

    assert "is pledged or about to be pledged for another loan" in content
    assert statuses(rival.match, rival) == ["terms_offered", "offered"]


def test_a_second_click_shows_the_same():
    terms = make_terms()
    accept(terms)

    assert "You have accepted the terms" in accept(terms).content.decode()


# --- declining ----------------------------------------------------------------------------------


def test_declining_needs_a_reason():
    terms = make_terms()

    content = post(terms.match, "terms_decline").content.decode()
    assert "Choose the reason." in content
    content = post(terms.match, "terms_decline", reason="other").content.decode()
    assert "Explain the reason in the text." in content
    assert statuses(terms.match) == ["terms_offered"]


@pytest.mark.parametrize(
    ("reason", "criterion"),
    [
        ("too_dear", "above_borrowers_rate"),
        ("amount_too_low", "amount_out_of_range"),
        ("no_longer_needed", ""),
    ],
)
def test_a_reason_names_what_would_have_to_change(reason, criterion):
    terms = make_terms()

    post(terms.match, "terms_decline", reason=reason)

    decision = terms.match.decisions.get()
    assert (decision.reason, decision.criterion) == (reason, criterion)
    assert statuses(terms.match, terms) == ["declined", "ended"]


# --- to the money -------------------------------------------------------------------------------


def test_the_page_follows_the_money():
    match = make_accepted(amount=Decimal(1_000_000))
    register_all(match)
    draw(match, 400_000, reference="RB-17")

    content = page(match).replace("\u00a0", " ")

    assert "CNY 400,000.00 of CNY 1,000,000.00 paid out" in content
    assert "RB-17" in content
    assert match.pledges.get().registration_number in content
    assert reverse("financing:match_fall_through", args=[match.pk]) not in content


def test_ending_an_agreement_on_the_page():
    match = make_accepted()
    assert reverse("financing:match_fall_through", args=[match.pk]) in page(match)

    content = post(match, "match_fall_through", reason="no_longer_needed").content.decode()

    assert "The agreement is ended" in content
    assert statuses(match, match.loan_request) == ["fallen_through", "open"]
    assert LoanOffer.objects.get(pk=match.loan_offer_id).booked_amount == 0


def test_an_agreement_with_registered_pledges_is_not_ended_by_the_owner():
    match = make_accepted()
    register_all(match)

    content = post(match, "match_fall_through", reason="no_longer_needed").content.decode()

    assert "can no longer be ended here" in content
    assert statuses(match) == ["accepted"]


def test_the_business_confirms_on_the_page():
    match = make_completed()
    assert "Confirm what you got" in page(match)

    content = post(match, "delivery_confirm", is_as_agreed="no").content.decode()
    assert "Write what differed." in content
    assert not Delivery.objects.exists()
    assert "Choose one of the two." in post(match, "delivery_confirm").content.decode()

    post(match, "delivery_confirm", is_as_agreed="no", text="One fee more")
    assert Delivery.objects.get().text == "One fee more"
    assert "One fee more" in page(match)


def test_foreign_matches_are_absent():
    match, stranger = make_terms().match, make_terms().match
    client = client_of(stranger)

    for name in ("terms_accept", "terms_decline", "match_fall_through", "delivery_confirm"):
        url = reverse(f"financing:{name}", args=[match.pk])
        assert client.post(url).status_code == 404


def test_the_request_page_follows_the_match():
    match = make_accepted()
    url = reverse("financing:request_detail", args=[match.loan_request_id])
    client = client_of(match)
    assert "Follow pledge and payment" in client.get(url).content.decode()

    register_all(match)
    draw(match)
    completions.complete(actor=staff_of(match), match=match)

    content = client.get(url).content.decode()
    assert "did you get what was agreed?" in content
    assert reverse("financing:owner_match", args=[match.pk]) in content
    assert "Confirm what you got" in client.get("/").content.decode()

    post(match, "delivery_confirm", is_as_agreed="yes")
    assert "There is nothing left to do here." in client.get(url).content.decode()
    assert "Confirm what you got" not in client.get("/").content.decode()


def test_queries_of_the_page_do_not_grow_with_rows(django_assert_max_num_queries):
    match = make_accepted()
    register_all(match)
    for part in range(5):
        draw(match, 1000 + part)
    client, url = client_of(match), reverse("financing:owner_match", args=[match.pk])
    client.get(url)

    with django_assert_max_num_queries(30):
        client.get(url)
