"""What a business owner does, from sign-up to a submitted request; the walks."""

import re
from datetime import date
from decimal import Decimal

from django.core import mail
from django.utils import timezone
from playwright.sync_api import Page, expect

from businesses.models import Appraisal, Business, Patent
from financing.models import InsuranceRequest, LoanRequest, Match, Proposal, Question
from sipo_portal.accounts.models import User
from tests.browser.steps import RunOutbox, fill, follow, named, press, see_result, submit, visit
from tests.factories.accounts import PASSWORD

NAME, TITLE, PERSON = "示范精密仪器有限公司", "一种示范测量装置", "示范联系人李"
AnyRequest = LoanRequest | InsuranceRequest


def sign_up(page: Page, email: str = "owner@example.org") -> User:
    follow(page, "/accounts/signup/")
    fill(page, email=email, name="Li", password1=PASSWORD, password2=PASSWORD)
    submit(page)
    user = User.objects.get(email=email)
    assert user.role == "owner"
    return user


def register_business(page: Page, code: str, *, scripts: bool) -> None:
    follow(page, "/businesses/register/")
    fill(page, credit_code=f" {code[:9].lower()} {code[9:]}", name=NAME)
    fill(page, established_on="2016-05-20", province="320000")
    if not scripts:
        page.locator("[name=show_places]").click()
    expect(page.locator("[name=region] option[value='320505']")).to_be_attached()
    fill(page, region="320505", industry="C39", industry_class="3911")
    fill(page, figures_year=timezone.localdate().year - 1, employee_count="１5")
    fill(page, revenue_wan="280", assets_wan="1,150", contact_name=PERSON)
    submit(page)
    business = Business.objects.get()
    assert (business.credit_code, business.size_class, business.status) == (
        code,
        "micro",
        "registered",
    )
    assert page.url.endswith(f"/businesses/{business.pk}/")
    expect(page.locator("h1")).to_have_text(NAME)


def add_patent(page: Page, number: str) -> None:
    business = Business.objects.get()
    follow(page, f"/businesses/{business.pk}/patents/add/")
    fill(page, application_number=f"ZL {number[:4]} {number[4:].lower()}", title=TITLE)
    fill(page, filed_on="2021-03-15", granted_on="2022-04-01", ipc_main="G01B 11/00")
    paid = timezone.localdate().year - 2021 + 1
    fill(page, annuity_paid_through_year=paid, annuity_relief_percent="85")
    submit(page)
    patent = Patent.objects.get()
    assert (patent.application_number, patent.kind, patent.status) == (
        number,
        "invention",
        "registered",
    )
    assert patent.filed_on == date(2021, 3, 15)


def appraise(page: Page) -> None:
    follow(page, f"/businesses/patents/{Patent.objects.get().pk}/appraisals/add/")
    fill(page, appraiser="示范资产评估有限公司", appraised_on=timezone.localdate().isoformat())
    fill(page, method="income", appraised_value="500")
    submit(page)
    assert Appraisal.objects.get().appraised_value == Decimal(5_000_000)


def ask_for_loan(page: Page, run_outbox: RunOutbox) -> None:
    follow(page, "/requests/")
    follow(page, "/requests/start/")
    submit(page)
    request = LoanRequest.objects.get()
    follow(page, f"/requests/{request.pk}/loan/")
    fill(page, principal="100", least_accepted="50", term_months="12")
    submit(page)
    fill(page, patents=True)
    submit(page)
    fill(page, purpose="working_capital", purpose_text="示范")
    submit(page)
    send(page, request, run_outbox)


def ask_for_insurance(page: Page, run_outbox: RunOutbox) -> None:
    follow(page, "/requests/")
    follow(page, "/insurance/start/")
    fill(page, cover_kind="enforcement")
    submit(page)
    request = InsuranceRequest.objects.get()
    follow(page, f"/insurance/{request.pk}/cover/")
    fill(page, sum_insured="10", premium_limit="1,500")
    submit(page)
    fill(page, patents=True)
    submit(page)
    send(page, request, run_outbox)


def send(page: Page, request: AnyRequest, run_outbox: RunOutbox) -> None:
    """Check the answers, submit, and see the page change once the request was compared."""
    path = address_of(request)
    assert page.url.endswith(f"{path}check/")
    submit(page)
    assert page.url.endswith(path)
    expect(page.locator("#progress progress")).to_be_visible()
    assert run_outbox() == 1
    see_result(page)
    request.refresh_from_db()
    assert request.status == "open"


def address_of(request: AnyRequest) -> str:
    kind = "requests" if isinstance(request, LoanRequest) else "insurance"
    return f"/{kind}/{request.pk}/"


def see_reasons(page: Page) -> None:
    """Why the offer fits, criterion by criterion."""
    proposal = Proposal.objects.get()
    assert proposal.is_provisional
    request = address_of(proposal.request)
    visit(page, f"{request}offers/")
    expect(page.locator("main")).to_contain_text(named(proposal.offer.institution))
    visit(page, f"{request}offers/{proposal.offer.pk}/")
    assert page.locator("main .rule-list li, main .rules li").count() > 5


# --- consent and answers --------------------------------------------------------------------------


def consent(page: Page) -> None:
    """For the business; and have the person named asked. On the match page."""
    match = Match.objects.get()
    press(page, f"/matches/{match.pk}/consent/")
    expect(page.locator(f"form[action='/matches/{match.pk}/consent/withdraw/']")).to_be_visible()
    fill(page, email="person@example.org")
    press(page, f"/matches/{match.pk}/persons/")
    assert not match.disclosures.filter(stage="identity").exists()


def consent_as_person(page: Page, run_outbox: RunOutbox) -> None:
    """By the mailed link, without an account."""
    run_outbox()
    letter = next(each for each in mail.outbox if "person@example.org" in each.to[0])
    link = re.search(r"/consent/[^/\s]+/", str(letter.body))
    assert link
    visit(page, link[0])
    assert link[0] not in page.url
    expect(page.locator("main")).to_contain_text(PERSON)
    press(page, "/consent/", "button[value=given]")
    expect(page.locator("main form button[value=withdrawn]")).to_be_visible()
    assert Match.objects.get().disclosures.filter(stage="identity").exists()


def answer(page: Page) -> None:
    """The lender's question, with text and a file."""
    question = Question.objects.get()
    page.locator("main [name=files]").set_input_files(
        {"name": "订单.csv", "mimeType": "text/csv", "buffer": "季度,万元\n1,120\n".encode()}
    )
    fill(page, text="附上今年的订单。")
    press(page, f"/matches/{question.match_id}/questions/{question.pk}/answer/")
    question.refresh_from_db()
    assert question.answered_at
    assert [each.name for each in question.files.all()] == ["订单.csv"]
    expect(page.locator("#question")).to_contain_text("订单.csv")


def accept(page: Page, *figures: str) -> None:
    """Read posted and offered terms side by side, then accept what the next page sums up."""
    match = Match.objects.get()
    for figure in figures:
        expect(page.locator("#terms > table")).to_contain_text(figure)
    follow(page, f"/matches/{match.pk}/terms/accept/", "main")
    submit(page)
    match.refresh_from_db()
    assert match.status == "accepted"
    assert match.request.status == "committed"


def confirm_delivery(page: Page) -> None:
    match = Match.objects.get()
    fill(page, is_as_agreed="yes")
    press(page, f"/matches/{match.pk}/delivery/")
    assert match.delivery.is_as_agreed
