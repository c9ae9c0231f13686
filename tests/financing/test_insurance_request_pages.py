"""An owner asks for insurance: choose a cover, fill in, submit, follow, withdraw."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from financing.models import InsuranceRequest
from financing.models.insurance_offers import CoverKind
from financing.services import incremental_runs
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.accounts import make_coordinator, make_owner
from tests.factories.businesses import make_business, make_patent
from tests.factories.financing import make_loan_request, make_staff
from tests.factories.insurance import (
    make_insurance_match,
    make_insurance_offer,
    make_insurance_policy_of_the_day,
    make_insurance_proposal,
    make_insurance_request,
)
from tests.factories.offices import make_office

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _policy():
    make_insurance_policy_of_the_day()
    with translation.override("en"):
        yield


@pytest.fixture
def owner():
    return make_owner()


@pytest.fixture
def business(owner):
    return make_business(owner=owner)


@pytest.fixture
def browser(owner):
    return signed_in(owner)


def signed_in(user):
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def address(name, *args):
    return reverse(f"financing:insurance_request_{name}", args=args)


def text_of(browser, url):
    response = browser.get(url)
    assert response.status_code == 200
    return response.content.decode()


def test_from_the_choice_of_a_cover_to_a_proposal(browser, business):
    patent = make_patent(business)
    offer = make_insurance_offer()
    text = text_of(browser, address("start"))
    for kind in CoverKind:
        assert str(kind.label) in text
    # 600 + 260 + 1 % of 100,000.
    assert "CNY\u00a01,860.00" in text

    started = browser.post(address("start"), {"cover_kind": "enforcement"})
    request = InsuranceRequest.objects.get()
    assert started.url == address("detail", request.pk)
    assert (request.business, request.status) == (business, "draft")
    again = browser.post(address("start"), {"cover_kind": "enforcement"})
    assert again.url == started.url, "the untouched draft is taken up again"
    assert "Say how much is to be insured." in text_of(browser, address("check", request.pk))

    saved = browser.post(
        address("cover", request.pk), {"sum_insured": "10", "premium_limit": "1,000"}
    )
    assert saved.url == address("patents", request.pk)
    assert "Usually insurable" in text_of(browser, saved.url)
    saved = browser.post(saved.url, {"patents": [patent.pk]})
    assert saved.url == address("check", request.pk)
    check = text_of(browser, saved.url)
    assert patent.title in check
    assert "CNY\u00a01,000.00" in check
    sent = browser.post(address("submit", request.pk))
    assert sent.url == address("detail", request.pk)
    message = OutboxMessage.objects.get()
    assert message.task == "financing.match_insurance_request"
    assert message.payload == {"request_id": request.pk}

    incremental_runs.match_insurance_request(request.pk)
    page = text_of(browser, sent.url)
    assert offer.institution.label in page
    best = browser.get(address("offers", request.pk), headers={"hx-request": "true"})
    found = best.content.decode()
    assert "CNY\u00a01,000.00" in found
    assert "CNY\u00a0860.00 (46" in found
    whole = text_of(browser, address("offer", request.pk, offer.pk))
    assert "Criterion by criterion" in whole
    assert "CNY\u00a01,860.00" in whole


def test_liability_cover_is_submitted_without_patents(browser, business):
    browser.post(address("start"), {"cover_kind": "infringement_liability"})
    request = InsuranceRequest.objects.get()
    browser.post(address("cover", request.pk), {"sum_insured": "20", "premium_limit": ""})
    browser.post(address("submit", request.pk))
    request.refresh_from_db()
    assert (request.status, request.premium_limit) == ("submitted", None)

    browser.post(address("start"), {"cover_kind": "enforcement"})
    enforcement = InsuranceRequest.objects.get(cover_kind="enforcement")
    browser.post(address("cover", enforcement.pk), {"sum_insured": "20"})
    refused = browser.post(address("submit", enforcement.pk), follow=True).content.decode()
    assert "Choose at least one patent." in refused
    enforcement.refresh_from_db()
    assert enforcement.status == "draft"


def test_one_request_in_hand_for_each_cover(browser, business):
    first = make_insurance_request(business)
    draft = make_insurance_request(business, status="draft")
    page = text_of(browser, address("check", draft.pk))
    assert "another request for this cover in hand" in page
    assert address("detail", first.pk) in page
    browser.post(address("submit", draft.pk))
    draft.refresh_from_db()
    assert draft.status == "draft"

    other = make_insurance_request(business, status="draft", cover_kind="infringement_loss")
    browser.post(address("submit", other.pk))
    other.refresh_from_db()
    assert other.status == "submitted"


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"sum_insured": ""}, "sum_insured"),
        ({"sum_insured": "0.5"}, "sum_insured"),
        ({"sum_insured": "NaN"}, "sum_insured"),
        ({"sum_insured": "10", "premium_limit": "0"}, "premium_limit"),
        ({"sum_insured": "10", "premium_limit": "cheap"}, "premium_limit"),
    ],
)
def test_wrong_figures_are_refused_at_their_field(browser, business, typed, field):
    request = make_insurance_request(business, status="draft", sum_insured=None)
    response = browser.post(address("cover", request.pk), typed)
    assert response.context["form"].errors[field]
    request.refresh_from_db()
    assert request.sum_insured is None


def test_requests_of_both_kinds_stand_in_one_list(browser, business):
    loan = make_loan_request(business)
    cover = make_insurance_request(business)
    text = text_of(browser, reverse("financing:request_list"))
    assert reverse("financing:request_detail", args=[loan.pk]) in text
    assert address("detail", cover.pk) in text
    assert "Enforcement costs: CNY\u00a0100,000 insured" in text
    assert address("detail", cover.pk) in text_of(browser, reverse("home"))


def test_withdrawing_takes_proposals_and_matches_along(browser, business):
    request = make_insurance_request(business)
    make_insurance_proposal(request)
    match = make_insurance_match(request, status="referred")
    assert "1 match" in text_of(browser, address("withdraw", request.pk))
    browser.post(address("withdraw", request.pk))
    request.refresh_from_db()
    match.refresh_from_db()
    assert (request.status, match.status) == ("withdrawn", "withdrawn")
    assert not request.proposals.exists()
    copied = browser.post(address("copy", request.pk))
    draft = InsuranceRequest.objects.get(status="draft")
    assert copied.url == address("detail", draft.pk)
    assert (draft.cover_kind, draft.sum_insured) == (request.cover_kind, request.sum_insured)
    assert list(draft.patents.all()) == list(request.patents.all())


def test_what_is_submitted_is_changed_by_a_copy(browser, business):
    request = make_insurance_request(business)
    assert browser.get(address("cover", request.pk)).url == address("detail", request.pk)
    response = browser.post(address("change", request.pk))
    draft = InsuranceRequest.objects.get(status="draft")
    assert response.url == address("detail", draft.pk)
    request.refresh_from_db()
    assert request.status == "withdrawn"


def test_a_near_miss_says_what_would_change_it(browser, business):
    request = make_insurance_request(business)
    offer = make_insurance_offer(min_sum_insured=Decimal(200_000))
    text = text_of(browser, address("offer", request.pk, offer.pk))
    assert "It would then insure" in text
    assert address("change", request.pk) in text


def test_a_covered_request_is_closed(browser, business):
    request = make_insurance_request(business, status="covered")
    text = text_of(browser, address("detail", request.pk))
    assert "You are insured" in text
    assert "Policy issued" in text


PAGES = ["detail", "cover", "patents", "check", "delete", "withdraw", "change", "offers"]


@pytest.mark.parametrize("name", PAGES)
def test_foreign_requests_are_absent_and_other_roles_are_refused(name):
    request = make_insurance_request()
    assert signed_in(make_owner()).get(address(name, request.pk)).status_code == 404
    for user in (make_staff(), make_coordinator(make_office("320000"))):
        assert signed_in(user).get(address(name, request.pk)).status_code in (302, 403)
    assert Client().get(address(name, request.pk)).status_code == 302


def test_a_loan_s_id_is_no_insurance_s(browser, business):
    loan = make_loan_request(business, pk=987654)
    assert browser.get(address("detail", loan.pk)).status_code == 404


def test_the_number_of_queries_does_not_grow(browser, business, django_assert_max_num_queries):
    request = make_insurance_request(business)
    for _each in range(4):
        make_insurance_offer()
    with django_assert_max_num_queries(40):
        text_of(browser, address("offers", request.pk))


def test_the_premium_stands_on_the_card_also_without_scripts(browser, business):
    """By the insurer's tariff: 400 + 100 for one patent + 0.5 % of 100,000."""
    request = make_insurance_request(business)
    make_insurance_proposal(request)
    page = text_of(browser, address("detail", request.pk))
    assert "1,000.00" in page
    assert "860.00" in page


def test_offers_of_another_cover_are_no_answer_but_have_their_page(browser, business):
    request = make_insurance_request(business)
    same = make_insurance_offer()
    other = make_insurance_offer(cover_kind="infringement_loss")
    page = text_of(browser, address("offers", request.pk))
    assert same.name in page
    assert other.name not in page
    page = text_of(browser, address("offer", request.pk, other.pk))
    assert "The offer insures another kind of cover" in page


def test_a_cover_without_patents_says_so_instead_of_none_given(browser, business):
    liability = {"cover_kind": "infringement_liability"}
    request = make_insurance_request(business, [], **liability)
    assert "this cover needs no own patent" in text_of(browser, address("detail", request.pk))
