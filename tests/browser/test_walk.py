"""One loan from sign-up to the lender's inbox, each person in an own real browser."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from businesses.models import Appraisal, Business, Patent
from financing.models import Institution, LoanRequest, Match, Proposal
from sipo_portal.accounts.models import User
from tests.browser.steps import fill, follow, sign_in, submit
from tests.factories.accounts import PASSWORD, make_coordinator
from tests.factories.businesses import credit_code, patent_number
from tests.factories.financing import make_institution, make_loan_offer, make_policy, make_staff
from tests.factories.offices import make_office, make_region

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
OpenPage = Callable[..., Page]
RunOutbox = Callable[[], int]
NAME = "示范精密仪器有限公司"
TITLE = "一种示范测量装置"


@pytest.mark.parametrize(
    ("width", "language", "scripts"), [(1280, "zh-CN", True), (360, "en", False)]
)
def test_from_sign_up_to_the_lenders_inbox(
    open_page: OpenPage, run_outbox: RunOutbox, width: int, language: str, scripts: bool
) -> None:
    make_policy()
    make_region("320505")
    coordinator = make_coordinator(make_office("320000"))
    bank = make_institution()
    staff = make_staff(bank)
    make_loan_offer(bank, interest_rate_percent="2.800")
    make_loan_offer(min_principal=4_000_000)

    def browser() -> Page:
        return open_page(width=width, language=language, scripts=scripts)

    pages = [browser(), browser(), browser()]
    code, number = credit_code("320505"), patent_number("invention", 2021)
    sign_up(pages[0])
    register_business(pages[0], code, scripts=scripts)
    add_patent(pages[0], number)
    ask_for_loan(pages[0], run_outbox)
    see_reasons(pages[0])
    review(pages[1], coordinator, run_outbox)
    read_inbox(pages[2], staff, secrets=(NAME, code, number, number.split(".")[0], TITLE))
    sees_referral(pages[0])
    for page in pages:
        assert page.console_errors == []  # type: ignore[attr-defined]


def named(institution: Institution) -> re.Pattern[str]:
    """Its name in either language."""
    return re.compile(f"{institution.name}|{institution.name_en}")


def sign_up(page: Page) -> None:
    follow(page, "/accounts/signup/")
    fill(page, email="owner@example.org", name="Li", password1=PASSWORD, password2=PASSWORD)
    submit(page)
    assert User.objects.get(email="owner@example.org").role == "owner"


def register_business(page: Page, code: str, *, scripts: bool) -> None:
    follow(page, "/businesses/register/")
    fill(page, credit_code=f" {code[:9].lower()} {code[9:]}", name=NAME)
    fill(page, established_on="2016-05-20", province="320000")
    if not scripts:
        page.locator("[name=show_places]").click()
    expect(page.locator("[name=region] option[value='320505']")).to_be_attached()
    fill(page, region="320505", industry="C39", industry_class="3911")
    fill(page, figures_year=timezone.localdate().year - 1, employee_count="１5")
    fill(page, revenue_wan="280", assets_wan="1,150", contact_name="Li")
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
    follow(page, f"/businesses/patents/{patent.pk}/appraisals/add/")
    fill(page, appraiser="示范资产评估有限公司", appraised_on=timezone.localdate().isoformat())
    fill(page, method="income", appraised_value="500")
    submit(page)
    assert Appraisal.objects.get().appraised_value == Decimal(5_000_000)


def ask_for_loan(page: Page, run_outbox: RunOutbox) -> None:
    follow(page, "/requests/")
    follow(page, "/requests/start/")
    submit(page)
    request = LoanRequest.objects.get()
    path = f"/requests/{request.pk}/"
    follow(page, f"{path}loan/")
    fill(page, principal="100", least_accepted="50", term_months="12")
    submit(page)
    fill(page, patents=True)
    submit(page)
    fill(page, purpose="working_capital", purpose_text="示范")
    submit(page)
    assert page.url.endswith(f"{path}check/")
    submit(page)
    assert page.url.endswith(path)
    expect(page.locator("#progress progress")).to_be_visible()
    assert run_outbox() == 1
    if page.evaluate("typeof htmx !== 'undefined'"):
        expect(page.locator("#progress")).to_have_count(0)  # the page asks by itself
    else:
        follow(page, path, "#progress")
    request.refresh_from_db()
    assert request.status == "open"


def see_reasons(page: Page) -> None:
    """Why the offer fits, and what the other one would need."""
    proposal = Proposal.objects.get()
    assert proposal.is_provisional
    request = f"/requests/{proposal.loan_request_id}/"
    follow(page, f"{request}offers/")
    expect(page.locator("main")).to_contain_text(named(proposal.loan_offer.institution))
    page.goto(f"/proposals/{proposal.pk}/")
    assert page.locator("main .rule-list li, main .rules li").count() > 5


def review(page: Page, coordinator: User, run_outbox: RunOutbox) -> None:
    """Match the region, verify the business, claim, compare with the register, approve."""
    request, business = LoanRequest.objects.get(), Business.objects.get()
    sign_in(page, coordinator)
    follow(page, "/runs/")
    follow(page, "/runs/start/")
    submit(page)
    assert run_outbox() == 1
    assert not Proposal.objects.get().is_provisional
    offer = Proposal.objects.get().loan_offer_id
    follow(page, "/review/")
    follow(page, f"/businesses/verification/{business.pk}/", "main")
    submit(page)
    business.refresh_from_db()
    assert business.status == "verified"
    follow(page, "/review/")
    follow(page, f"/review/requests/{request.pk}/offers/{offer}/", "main")
    submit(page, "#decision")
    match = Match.objects.get()
    assert urlsplit(page.url).path == f"/review/matches/{match.pk}/"
    assert (match.status, match.claimed_by) == ("in_review", coordinator)
    # Approving without having compared is refused at the box.
    page.locator("#approve button.btn-primary").click()
    expect(page.locator(".error-summary")).to_be_visible()
    page.locator("#approve_has_compared").check()
    page.locator("#approve button.btn-primary").click()
    page.wait_for_load_state()
    match.refresh_from_db()
    assert match.status == "referred"
    assert Patent.objects.get().status == "verified"


def read_inbox(page: Page, staff: User, secrets: tuple[str, ...]) -> None:
    """The lender sees the referral, and nothing that names the business."""
    match = Match.objects.get()
    sign_in(page, staff)
    follow(page, "/admin/financing/referral/")
    texts = [page.content()]
    page.get_by_role("link", name=re.compile(re.escape(match.reference))).first.click()
    page.wait_for_load_state()
    expect(page.locator("main")).to_contain_text(match.reference)
    texts.append(page.content())
    for text in texts:
        assert match.reference in text
        assert not [secret for secret in secrets if secret in text]
        assert f"/businesses/{match.business_id}/" not in text


def sees_referral(page: Page) -> None:
    page.goto(f"/requests/{LoanRequest.objects.get().pk}/")
    expect(page.locator("main")).to_contain_text(named(Match.objects.get().institution))
