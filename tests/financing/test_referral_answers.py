"""The lender's answer on the pages of the admin: three clicks, forms, confirmation, 409, files."""

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from financing.models import AnswerFile, Match, MatchDecision, Question, Terms
from financing.models.matches import MatchStatus
from sipo_portal.accounts.models import User
from sipo_portal.audit.models import AuditEvent
from sipo_portal.offices.working_days import add_working_days
from tests.factories.accounts import make_coordinator, make_owner
from tests.factories.financing import make_loan_offer, make_policy, make_staff, make_system_admin
from tests.factories.money import make_terms
from tests.factories.offices import make_office
from tests.factories.studies import (
    make_insurance_referral,
    make_referral,
    rivals_for,
    staff_of,
    withdraw_consent_of,
)

pytestmark = pytest.mark.django_db
LIST = "admin:financing_referral_changelist"
DETAIL = "admin:financing_referral_change"
STEP = "admin:financing_referral_step"
ACTIONS = ("interest", "study", "terms", "ask", "decline")


@pytest.fixture(autouse=True)
def _policy() -> None:
    make_policy()


def signed_in(user: User) -> Client:
    user.language = "en"
    user.save()
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def step_url(match: Match, action: str) -> str:
    return reverse(STEP, args=[match.pk, action])


def text_of(response: Any) -> str:
    """What the main part of the page says, without tags."""
    html = response.content.decode().split('id="content"')[1].split("<footer")[0]
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", html).split()))


def terms_data(**changes: Any) -> dict[str, Any]:
    valid_until = add_working_days(timezone.localdate(), 10)[0]
    return {
        "amount": "1,000,000",
        "interest_rate_percent": "3",
        "term_months": "12",
        "repayment_method": "interest_monthly",
        "day_count": "act/360",
        "valid_until": valid_until.isoformat(),
        "conditions": "",
    } | changes


def test_three_clicks_answer_a_referral() -> None:
    match = make_referral()
    client = signed_in(staff_of(match))

    # First click: the referral in the list.
    detail = reverse(DETAIL, args=[match.pk])
    assert detail in client.get(reverse(LIST)).content.decode()
    # Second: the button on its page.
    page = client.get(detail).content.decode()
    assert step_url(match, "interest") in page
    # Third: the page that asks.
    assert client.get(step_url(match, "interest")).status_code == 200
    answer = client.post(step_url(match, "interest"), follow=True)

    match.refresh_from_db()
    assert match.interested_at is not None
    assert "the business is asked for its consent" in text_of(answer)
    assert step_url(match, "interest") not in answer.content.decode()


SHOWN = {
    ("referred", False): {"interest", "decline"},
    ("referred", True): {"study", "decline"},
    ("in_study", True): {"terms", "ask", "decline"},
    ("in_study", False): {"decline"},
    ("waiting", True): {"decline"},
    ("waiting", False): {"decline"},
}


@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize(
    "status",
    [each for each in MatchStatus.values if each not in ("in_review", "returned", "rejected")],
)
def test_every_state_shows_its_steps_and_no_others_can_be_taken(status: str, is_open: bool) -> None:
    match = make_referral(status, is_open=is_open)
    if status in ("accepted", "completed"):
        make_terms(match, status="accepted")
    client = signed_in(staff_of(match))
    page = client.get(reverse(DETAIL, args=[match.pk]))
    assert page.status_code == 200
    shown = {each for each in ACTIONS if step_url(match, each) in page.content.decode()}
    assert shown == SHOWN.get((status, is_open), set())
    for action in ACTIONS:
        url = step_url(match, action)
        if action in shown:
            assert client.get(url).status_code == 200, action
            continue
        for response in (client.get(url), client.post(url, terms_data(is_confirmed="1"))):
            assert (response.status_code, response.url) == (302, page.request["PATH_INFO"])
    match.refresh_from_db()
    assert match.status == status


def test_foreign_rows_are_404_and_wrong_roles_403() -> None:
    match = make_referral("in_study", is_open=True)
    question = Question.objects.create(
        match=match, text="?", asked_by=staff_of(match), answered_at=timezone.now()
    )
    file = AnswerFile.objects.create(
        question=question, name="a.pdf", media_type="application/pdf", size=1, content=b"%PDF"
    )
    urls = [step_url(match, action) for action in ACTIONS]
    urls.append(reverse("admin:financing_referral_file", args=[match.pk, file.pk]))
    rival = signed_in(make_staff())
    for url in urls:
        assert rival.get(url).status_code == 404, url
        if "files" not in url:
            assert rival.post(url, terms_data(is_confirmed="1")).status_code == 404, url
    for user in (make_owner(), make_coordinator(make_office()), make_system_admin()):
        client = signed_in(user)
        for url in urls:
            assert client.get(url).status_code == 403, url
    own = signed_in(staff_of(match))
    assert own.get(step_url(match, "nonsense")).status_code == 404
    assert own.get(reverse(DETAIL, args=[match.pk])).status_code == 200
    other = make_referral("in_study", is_open=True, loan_offer=match.loan_offer)
    elsewhere = reverse("admin:financing_referral_file", args=[other.pk, file.pk])
    assert own.get(elsewhere).status_code == 404
    assert not Terms.objects.exists()


# --- declining and asking ----------------------------------------------------------------------


def test_declining_blind_with_a_structured_reason() -> None:
    match = make_referral()
    client = signed_in(staff_of(match))
    url = step_url(match, "decline")
    for data, words in [
        ({}, "Choose the reason."),
        ({"reason": "other"}, "Explain the reason in the text."),
        ({"reason": "criterion_not_met", "criterion": ""}, "Name the criterion that is not met."),
        ({"reason": "fits"}, "Select a valid choice"),
    ]:
        page = client.post(url, data)
        assert page.status_code == 200
        assert words in text_of(page), data
    assert "<title>Error:" in " ".join(page.content.decode().split()).replace("<title> ", "<title>")
    data = {"reason": "criterion_not_met", "criterion": "term_out_of_range", "text": "不合适"}
    assert "term_out_of_range" in page.content.decode()
    done = client.post(url, data, follow=True)
    match.refresh_from_db()
    assert match.status == "declined"
    decision = MatchDecision.objects.get()
    assert (decision.reason, decision.criterion) == ("criterion_not_met", "term_out_of_range")
    assert decision.is_shown_to_business is False  # the box was not ticked
    assert "不合适" in text_of(done)


def test_asking_and_reading_the_answer_with_its_file() -> None:
    match = make_referral("in_study", is_open=True)
    client = signed_in(staff_of(match))
    url = step_url(match, "ask")
    assert "Write what the business should tell" in text_of(client.post(url, {"text": " "}))
    client.post(url, {"text": "请上传<b>报表</b>"})
    question = Question.objects.get()
    match.refresh_from_db()
    assert match.status == "waiting"

    file = AnswerFile.objects.create(
        question=question,
        name="报表.html",
        media_type="text/html",
        size=9,
        content=b"<script>1",
    )
    Question.objects.update(answer="已上传", answered_at=timezone.now())
    Match.objects.update(status="in_study")
    detail = reverse(DETAIL, args=[match.pk])
    html = client.get(detail).content.decode()
    assert "&lt;b&gt;报表" in html
    assert "已上传" in html
    served = client.get(reverse("admin:financing_referral_file", args=[match.pk, file.pk]))
    assert served.content == b"<script>1"
    assert served["Content-Type"] == "application/octet-stream"
    assert served["Content-Disposition"].startswith("attachment;")
    assert AuditEvent.objects.filter(verb="answer_file.read").count() == 1

    withdraw_consent_of(match)
    page = client.get(detail)
    assert "已上传" not in page.content.decode()
    assert "报表.html" not in page.content.decode()
    refused = client.get(reverse("admin:financing_referral_file", args=[match.pk, file.pk]))
    assert (refused.status_code, refused.url) == (302, detail)


# --- identity ------------------------------------------------------------------------------------


def test_the_identity_is_shown_only_while_everybody_consents() -> None:
    match = make_referral("in_study")
    secrets = (match.business.name, match.business.credit_code, match.business.contact_phone)
    detail = reverse(DETAIL, args=[match.pk])
    client = signed_in(staff_of(match))
    pages = [detail, *(step_url(match, action) for action in ACTIONS), reverse(LIST)]
    for url in pages:
        html = client.get(url, follow=True).content.decode()
        assert not [secret for secret in secrets if secret in html], url

    opened = make_referral("in_study", is_open=True, loan_offer=match.loan_offer)
    detail = reverse(DETAIL, args=[opened.pk])
    html = client.get(detail).content.decode()
    assert opened.business.name in html
    assert opened.business.credit_code in html
    assert f"ZL{opened.patents.get().application_number}" in html

    # What was frozen stays; what changed since is not told.
    opened.business.name = "改名科技有限公司"
    opened.business.save()
    assert "改名科技" not in client.get(detail).content.decode()

    name = opened.disclosures.get(stage="identity").fields["name"]
    withdraw_consent_of(opened)
    page = client.get(detail)
    assert name not in page.content.decode()
    assert "closed again" in text_of(page)


# --- terms ---------------------------------------------------------------------------------------


def test_terms_are_filled_from_the_posted_offer() -> None:
    offer = make_loan_offer(
        interest_rate_percent=Decimal("3.450"),
        repayment_method="equal_principal",
        day_count="act/365",
        fees=[{"kind": "guarantee", "percent": Decimal("1.5")}],
    )
    match = make_referral("in_study", is_open=True, loan_offer=offer, amount=Decimal("812345.67"))
    page = signed_in(staff_of(match)).get(step_url(match, "terms"))
    html = page.content.decode()
    form = page.context["form"]
    assert form.initial["amount"] == Decimal("812345.67")
    assert 'value="812,345.67"' in html
    assert 'value="3.45"' in html
    assert form["repayment_method"].value() == "equal_principal"
    assert form["day_count"].value() == "act/365"
    assert form.initial["valid_until"] == add_working_days(timezone.localdate(), 10)[0]
    assert len(form.parts) == 3
    assert form.parts[0]["kind"].value() == "guarantee"
    assert "Posted: 3.45% fixed." in unescape(html)


def test_terms_are_confirmed_in_figures_before_they_bind() -> None:
    match = make_referral("in_study", is_open=True)
    client = signed_in(staff_of(match))
    url = step_url(match, "terms")
    data = terms_data(
        interest_rate_percent="3.2",
        conditions="先评估",
        **{"fees_0-kind": "service", "fees_0-payer": "borrower", "fees_0-timing": "upfront"},
        **{"fees_0-amount": "800"},
    )

    asked = client.post(url, data)
    assert asked.status_code == 200
    assert not Terms.objects.exists()
    said = text_of(asked)
    assert "CNY\xa01,000,000.00" in asked.content.decode()
    assert "3.2%" in said
    assert "Yearly cost (APR)" in said
    assert "Dearer than posted" in said
    assert "free now" in said
    assert "先评估" in said
    typed = asked.content.decode().split('class="confirm"')[1]
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', typed))
    del hidden["csrfmiddlewaretoken"]
    assert hidden == data

    # Back to the form with everything typed.
    again = client.post(url, data | {"change": "1"})
    assert 'value="800"' in again.content.decode()
    assert not Terms.objects.exists()

    done = client.post(url, hidden | {"is_confirmed": "1"}, follow=True)
    terms = Terms.objects.get()
    assert (terms.amount, terms.interest_rate_percent) == (Decimal(1_000_000), Decimal("3.200"))
    assert terms.fees[0]["amount"] == "800"
    assert "Your terms are with the business" in text_of(done)
    assert "Dearer than posted" in text_of(done)


def test_wrong_figures_are_told_at_their_fields_before_the_confirmation() -> None:
    match = make_referral("in_study", is_open=True)
    client = signed_in(staff_of(match))
    yesterday = (timezone.localdate() - timedelta(days=1)).isoformat()
    data = terms_data(
        amount="1,000,000.01",
        valid_until=yesterday,
        **{"fees_0-kind": "service", "fees_0-payer": "borrower", "fees_0-timing": "upfront"},
    )
    for extra in ({}, {"is_confirmed": "1"}):
        page = client.post(step_url(match, "terms"), data | extra)
        html = page.content.decode()
        assert page.status_code == 200
        for target in ("id_amount", "id_valid_until", "id_fees_0-amount"):
            assert f'href="#{target}"' in html, target
            assert f'id="{target}_error"' in html, target
    page = client.post(step_url(match, "terms"), terms_data(**{"fees_0-amount": "5"}))
    assert 'href="#id_fees_0-kind"' in page.content.decode()
    assert not Terms.objects.exists()


def test_the_lender_who_comes_too_late_is_told_what_is_still_free() -> None:
    one, two = rivals_for("1234567.89", 2)
    client = signed_in(staff_of(one))
    client.post(step_url(one, "terms"), terms_data(is_confirmed="1"))
    # Before the confirmation what is free is known already; the form offers it.
    asked = client.post(step_url(two, "terms"), terms_data())
    assert asked.status_code == 409
    late = client.post(step_url(two, "terms"), terms_data(is_confirmed="1"))

    assert late.status_code == 409
    assert "234,567.89 of this offer's capacity are still free" in text_of(late)
    assert 'value="1,000,000"' in late.content.decode()
    assert 'href="#id_amount"' in late.content.decode()
    assert Terms.objects.count() == 1
    two.refresh_from_db()
    assert two.status == "in_study"


def test_the_form_starts_with_what_is_left_of_the_capacity() -> None:
    one, two = rivals_for("1612345.67", 2)
    client = signed_in(staff_of(one))
    client.post(step_url(one, "terms"), terms_data(is_confirmed="1"))
    form = client.get(step_url(two, "terms")).context["form"]
    assert form.initial["amount"] == Decimal("612345.67")


def test_no_place_left_is_said_so() -> None:
    one, two = rivals_for(50_000_000, 2, capacity_count=1)
    client = signed_in(staff_of(one))
    client.post(step_url(one, "terms"), terms_data(is_confirmed="1"))
    late = client.post(step_url(two, "terms"), terms_data(is_confirmed="1"))
    assert late.status_code == 409
    assert "all places of this offer are taken" in text_of(late)


def test_terms_of_an_insurance() -> None:
    match = make_insurance_referral("in_study", is_open=True)
    client = signed_in(staff_of(match))
    url = step_url(match, "terms")
    page = client.get(url)
    assert page.context["form"].initial["premium"] == Decimal("5000.00")
    assert "Sum insured" in text_of(page)
    data = {
        "amount": "1000000",
        "premium": "5500",
        "excess_percent": "10",
        "term_months": "12",
        "valid_until": add_working_days(timezone.localdate(), 5)[0].isoformat(),
    }
    said = text_of(client.post(url, data))
    assert "5,500.00" in said
    assert "Dearer than posted" in said
    client.post(url, data | {"is_confirmed": "1"})
    terms = Terms.objects.get()
    assert (terms.premium, terms.excess_percent, terms.interest_rate_percent) == (
        Decimal(5500),
        Decimal(10),
        None,
    )


# --- the inbox -----------------------------------------------------------------------------------


def test_the_inbox_sorts_by_deadline_and_filters_by_turn() -> None:
    offer = make_loan_offer()
    today = timezone.localdate()
    days = {"late": -3, "near": 1, "far": 20}
    matches = {
        name: make_referral(
            loan_offer=offer, deadline_on=today + timedelta(days=count), clock_stage="first_answer"
        )
        for name, count in days.items()
    }
    matches["theirs"] = make_referral(
        loan_offer=offer, deadline_on=today + timedelta(days=9), clock_stage="consent"
    )
    matches["over"] = make_referral("declined", loan_offer=offer)
    client = signed_in(staff_of(matches["late"]))

    def found(**query: str) -> list[str]:
        html = client.get(reverse(LIST), query).content.decode()
        names = {match.reference: name for name, match in matches.items()}
        listed = re.findall(r"[2-9A-Z]{5}-[2-9A-Z]{5}", html.split('id="result_list"')[1])
        return [names[each] for each in dict.fromkeys(listed)]

    assert found() == ["late", "near", "theirs", "far", "over"]
    assert found(turn="near") == ["near"]
    assert found(turn="late") == ["late"]
    assert found(turn="ours") == ["late", "near", "far"]
    assert found(turn="theirs") == ["theirs"]
    html = client.get(reverse(LIST)).content.decode()
    assert "overdue" in html


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_pages_are_made_in_both_languages(language: str) -> None:
    match = make_referral("in_study", is_open=True)
    user = staff_of(match)
    client = signed_in(user)
    user.language = language
    user.save()
    for url in (
        reverse(LIST),
        reverse(DETAIL, args=[match.pk]),
        *(step_url(match, action) for action in ("terms", "ask", "decline")),
    ):
        assert client.get(url, headers={"accept-language": language}).status_code == 200
