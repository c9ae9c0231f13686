"""The owner's way from an empty draft to a submitted request, page by page."""

import re
from decimal import Decimal

import pytest
from django.urls import reverse

from financing.models.loan_requests import LoanRequest
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.accounts import make_owner
from tests.factories.businesses import make_appraisal, make_business, make_co_owner, make_patent
from tests.factories.financing import (
    make_loan_offer,
    make_loan_request,
    make_match,
    make_policy,
    make_proposal,
)

pytestmark = pytest.mark.django_db

LOAN = {"principal": "300", "least_accepted": "100", "term_months": "12", "max_apr_percent": ""}


@pytest.fixture
def owner():
    return make_owner(language="en")


@pytest.fixture
def business(owner):
    return make_business(owner=owner)


@pytest.fixture
def browser(client, owner):
    client.force_login(owner)
    return client


def address(name, *args):
    return reverse(f"financing:{name}", args=args)


def page(browser, name, *args, **query):
    response = browser.get(address(name, *args), query)
    assert response.status_code == 200
    return response.content.decode()


def test_from_nothing_to_a_submitted_request(browser, business):
    patent = make_patent(business)

    response = browser.post(address("request_start"))
    draft = LoanRequest.objects.get()
    assert response.url == address("request_detail", draft.pk)
    assert "To do" in page(browser, "request_detail", draft.pk)

    response = browser.post(address("request_loan", draft.pk), LOAN)
    assert response.url == address("request_patents", draft.pk)
    response = browser.post(address("request_patents", draft.pk), {"patents": [patent.pk]})
    assert response.url == address("request_purpose", draft.pk)
    response = browser.post(address("request_purpose", draft.pk), {"purpose": "research"})
    assert response.url == address("request_check", draft.pk)

    answers = page(browser, "request_check", draft.pk)
    assert "CNY\u00a03\u00a0million" in answers
    assert patent.title in answers
    assert "Submit the request" in answers

    for _time in range(2):
        response = browser.post(address("request_submit", draft.pk))
        assert response.url == address("request_detail", draft.pk)
    draft.refresh_from_db()
    assert (draft.status, draft.principal) == ("submitted", Decimal(3_000_000))
    assert OutboxMessage.objects.count() == 1
    assert "is being matched" in page(browser, "request_detail", draft.pk)


def test_start_asks_which_business_only_when_several_may(browser, business, owner):
    other = make_business(owner=owner)
    large = make_business(owner=owner, size_class="large", size_indicator="employees")

    text = page(browser, "request_start")
    assert business.name in text
    assert "This one counts as Large; what decides is: Staff." in text

    empty = browser.post(address("request_start"), {})
    assert "Choose the business that asks for the loan." in empty.content.decode()
    refused = browser.post(address("request_start"), {"business": large.pk})
    assert refused.status_code == 200
    assert not LoanRequest.objects.exists()

    browser.post(address("request_start"), {"business": other.pk})
    assert LoanRequest.objects.get().business == other


def test_start_without_a_business_leads_to_registering(browser):
    assert reverse("businesses:register") in page(browser, "request_start")
    assert browser.post(address("request_start")).status_code == 200


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("principal", "", "Enter the amount you want to borrow."),
        ("principal", "a lot", "Enter a number in figures"),
        ("principal", "-5", "without a minus sign"),
        ("principal", "1e309", "Enter a number in figures"),
        ("principal", "NaN", "Enter a number in figures"),
        ("principal", "0.5", "or more"),
        ("principal", "100001", "or less"),
        ("least_accepted", "", "Enter the least amount"),
        ("least_accepted", "301", "must not be more than the amount"),
        ("term_months", "", "Enter the number of months."),
        ("term_months", "12.5", "whole number"),
        ("term_months", "0", "or more"),
        ("term_months", "361", "or less"),
        ("max_apr_percent", "40", "or less"),
        ("max_apr_percent", "x", "Enter a number in figures"),
    ],
)
def test_each_field_of_the_loan_wrong_once(browser, business, field, typed, message):
    draft = make_loan_request(business, status="draft", principal=None, least_accepted=None)

    response = browser.post(address("request_loan", draft.pk), LOAN | {field: typed})

    text = response.content.decode()
    assert response.status_code == 200
    assert message in " ".join(response.context["form"].errors[field])
    assert f'href="#id_{field}"' in text
    assert f'value="{typed}"' in text or not typed
    assert re.search(r"<title>\s*Error:", text)
    draft.refresh_from_db()
    assert draft.principal is None


def test_full_width_figures_and_separators_are_read(browser, business):
    draft = make_loan_request(business, status="draft")

    browser.post(
        address("request_loan", draft.pk),
        {"principal": "１,２００．５", "least_accepted": "800万元"[:3], "term_months": "２４"},
    )

    draft.refresh_from_db()
    assert (draft.principal, draft.term_months) == (Decimal("12005000.00"), 24)


def test_stored_amounts_come_back_in_units_of_ten_thousand(browser, business):
    draft = make_loan_request(business, status="draft", principal=Decimal("1234500"))

    assert 'value="123.45"' in page(browser, "request_loan", draft.pk)


def test_patents_are_shown_with_what_stands_against_them(browser, business):
    draft = make_loan_request(business, status="draft")
    good = make_patent(business, title="Good lathe")
    make_appraisal(good, 2_000_000)
    make_co_owner(make_patent(business, title="Shared lathe"), consent="missing")
    make_patent(business, title="Gone lathe", status="ended")
    make_patent(title="Foreign lathe")

    text = page(browser, "request_patents", draft.pk)

    assert "Good lathe" in text
    assert "A co-owner has not consented" in text
    assert "Cannot be pledged now" in text
    assert "Gone lathe" not in text
    assert "Foreign lathe" not in text


@pytest.mark.parametrize("case", ["none", "foreign", "nonsense"])
def test_a_wrong_choice_of_patents_changes_nothing(browser, business, case):
    draft = make_loan_request(business, status="draft")
    before = set(draft.patents.all())
    chosen = {"none": [], "foreign": [make_patent().pk], "nonsense": ["x"]}[case]

    response = browser.post(address("request_patents", draft.pk), {"patents": chosen})

    assert response.status_code == 200
    assert response.context["form"].errors["patents"]
    assert 'href="#id_patents_0"' in response.content.decode()
    assert set(draft.patents.all()) == before


def test_without_patents_the_page_says_what_to_do(browser, business):
    draft = make_loan_request(business, [], status="draft")

    assert reverse("businesses:patent_add", args=[business.pk]) in page(
        browser, "request_patents", draft.pk
    )


def test_the_purpose_is_chosen_and_what_was_typed_is_kept(browser, business):
    draft = make_loan_request(business, status="draft", purpose="")

    response = browser.post(
        address("request_purpose", draft.pk), {"purpose": "", "purpose_text": "A new lathe"}
    )

    text = response.content.decode()
    assert "Choose what the money is for." in text
    assert "A new lathe" in text
    too_long = browser.post(
        address("request_purpose", draft.pk), {"purpose": "other", "purpose_text": "x" * 2001}
    )
    assert too_long.context["form"].errors["purpose_text"]


def test_what_is_missing_is_listed_with_links(browser, business):
    draft = make_loan_request(
        business, [], status="draft", principal=None, least_accepted=None, purpose=""
    )

    text = page(browser, "request_check", draft.pk)
    for name in ("request_loan", "request_patents", "request_purpose"):
        assert address(name, draft.pk) in text
    assert "Submit the request" not in text

    response = browser.post(address("request_submit", draft.pk), follow=True)
    assert "Choose at least one patent." in response.content.decode()
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_a_second_request_of_the_business_is_explained(browser, business):
    other = make_loan_request(business, status="open")
    draft = make_loan_request(business, status="draft")

    text = page(browser, "request_check", draft.pk)

    assert "The business has another loan request in hand." in text
    assert address("request_detail", other.pk) in text


def test_a_business_not_yet_verified_is_told_so(browser, owner):
    draft = make_loan_request(make_business(owner=owner, status="registered"), status="draft")

    assert "Your business is not verified yet." in page(browser, "request_check", draft.pk)


@pytest.mark.parametrize("name", ["request_loan", "request_patents", "request_purpose"])
def test_a_submitted_request_shows_no_forms(browser, business, name):
    request = make_loan_request(business, status="open")

    assert browser.get(address(name, request.pk)).url == address("request_detail", request.pk)
    assert browser.post(address(name, request.pk), LOAN).url == address(
        "request_detail", request.pk
    )


def test_a_draft_is_deleted_after_a_question(browser, business):
    draft = make_loan_request(business, status="draft")

    assert "Your answers are removed" in page(browser, "request_delete", draft.pk)
    assert LoanRequest.objects.exists()
    assert browser.post(address("request_delete", draft.pk)).url == address("request_list")
    assert not LoanRequest.objects.exists()


def test_withdrawing_shows_the_consequences_in_figures(browser, business):
    request = make_loan_request(business)
    make_match(request, status="referred")
    make_match(request, status="in_review")
    make_proposal(request)

    text = page(browser, "request_withdraw", request.pk)
    assert "2 matches" in text
    assert "1 offer" in text

    browser.post(address("request_withdraw", request.pk))
    request.refresh_from_db()
    assert request.status == "withdrawn"
    assert "This request is closed" in page(browser, "request_detail", request.pk)


def test_changing_what_was_submitted_goes_on_with_a_copy(browser, business):
    request = make_loan_request(business)

    assert "so a submitted request is fixed" in page(browser, "request_change", request.pk)
    targets = {browser.post(address("request_change", request.pk)).url for _time in range(2)}

    draft = LoanRequest.objects.get(status="draft")
    request.refresh_from_db()
    assert targets == {address("request_detail", draft.pk)}
    assert (request.status, draft.principal) == ("withdrawn", request.principal)


def test_still_wanted_and_asking_again(browser, business):
    request = make_loan_request(business)
    before = request.refreshed_at

    browser.post(address("request_refresh", request.pk))
    request.refresh_from_db()
    assert request.refreshed_at > before

    browser.post(address("request_withdraw", request.pk))
    browser.post(address("request_copy", request.pk))
    assert LoanRequest.objects.filter(status="draft").count() == 1


def test_what_the_branch_office_asked_is_shown_and_answered(browser, business):
    make_policy()
    request = make_loan_request(business)
    match = make_match(request, status="returned")
    match.decisions.create(action="return", reason="information_missing", text="Which machine?")
    match.decisions.create(
        action="return", reason="other", text="Not for the business", is_shown_to_business=False
    )

    text = page(browser, "request_detail", request.pk)
    assert "Which machine?" in text
    assert "Not for the business" not in text

    answer = address("request_answer", request.pk, match.pk)
    empty = browser.post(answer, {"text": " "})
    assert "Write an answer." in empty.content.decode()

    assert browser.post(answer, {"text": "A lathe"}).url == address("request_detail", request.pk)
    match.refresh_from_db()
    assert match.status == "in_review"
    assert browser.post(answer, {"text": "Again"}).status_code == 302


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("submitted", "is being matched"),
        ("open", "No offer fits yet"),
        ("returned", "Please complete your request"),
        ("committed", "You have accepted terms"),
        ("funded", "The loan has been paid out"),
        ("withdrawn", "This request is closed"),
        ("expired", "This request expired"),
    ],
)
def test_every_state_says_what_to_do_now(browser, business, status, words):
    request = make_loan_request(business, status=status)

    assert words in page(browser, "request_detail", request.pk)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("in_review", "the branch office is reviewing"),
        ("referred", "May the institution know who you are?"),
        ("in_study", "May the institution know who you are?"),
        ("waiting", "An institution asks you for more"),
        ("terms_offered", "An institution has offered terms"),
    ],
)
def test_matches_in_hand_say_who_acts_next(browser, business, status, words):
    request = make_loan_request(business)
    match = make_match(request, status=status)

    text = page(browser, "request_detail", request.pk)

    assert words in text
    assert match.reference in text


def test_the_panel_of_a_running_match_asks_again_and_then_reloads(browser, business):
    request = make_loan_request(business, status="submitted")
    asked = {"HTTP_HX_REQUEST": "true"}

    waiting = browser.get(address("request_detail", request.pk), **asked)
    assert "hx-trigger" in waiting.content.decode()
    assert "<html" not in waiting.content.decode()

    LoanRequest.objects.update(status="open")
    done = browser.get(address("request_detail", request.pk), **asked)
    assert done["HX-Refresh"] == "true"


def test_lists_need_the_same_few_queries_however_long(
    browser, owner, business, django_assert_max_num_queries
):
    draft = make_loan_request(business, status="draft")
    names = [("request_list", []), ("request_patents", [draft.pk]), ("request_start", [])]
    for step in range(2):
        for name, args in names:
            with django_assert_max_num_queries(15):
                page(browser, name, *args)
        with django_assert_max_num_queries(15):
            browser.get("/")
        if step == 0:
            for _number in range(6):
                other = make_business(owner=owner)
                make_co_owner(make_patent(business))
                make_proposal(make_loan_request(other))
                make_loan_request(other, status="draft")


def test_a_request_with_matches_and_proposals_needs_few_queries(
    browser, business, django_assert_max_num_queries
):
    request = make_loan_request(business)
    for _number in range(3):
        make_match(request, status="in_review")
        make_proposal(request)
        make_loan_offer()

    with django_assert_max_num_queries(15):
        page(browser, "request_detail", request.pk)
