"""What a lender's staff do in the admin, from the inbox to the released pledge; the walks."""

import re
from decimal import Decimal
from typing import Any

from django.core import mail
from django.utils import timezone
from playwright.sync_api import Page, expect

from financing.models import AnswerFile, Match, Pledge
from sipo_portal.accounts.models import User
from tests.browser.steps import fill, follow, read_notice, sign_in, submit

INBOX = "/admin/financing/referral/"


def read_inbox(page: Page, staff: User, secrets: tuple[str, ...]) -> None:
    """Mail, notice, list and referral tell of it, and none of them names the business."""
    match = Match.objects.get()
    letters = [each for each in mail.outbox if staff.email in each.to]
    assert letters
    texts = [f"{each.subject}\n{each.body}" for each in letters]
    sign_in(page, staff)
    follow(page, "/notices/")
    texts.append(page.content())
    follow(page, "/admin/")
    follow(page, INBOX)
    texts.append(page.content())
    follow(page, f"{INBOX}{match.pk}/change/", "main")
    expect(page.locator("main")).to_contain_text(match.reference)
    texts += [page.content(), page.url]
    for text in texts:
        assert not [secret for secret in secrets if secret in text], text
        assert f"/businesses/{match.business_id}/" not in text
        assert not re.search(rf"/(requests|insurance)/{match.request.pk}/", text)
    # No way to terms while nobody has consented.
    assert not page.locator("a[href$='/step/terms/'], a[href$='/step/study/']").count()


def step(page: Page, action: str, **values: Any) -> None:
    """Open the step from the referral's page, type, post; confirm where the page sums up first."""
    follow(page, f"{INBOX}{Match.objects.get().pk}/step/{action}/", "main")
    fill(page, **values)
    submit(page)
    if page.locator("main form [name=is_confirmed]").count():
        submit(page)
    errors = page.locator(".error-summary")
    assert not errors.count(), errors.inner_text()


def declare_interest(page: Page) -> None:
    step(page, "interest")
    match = Match.objects.get()
    assert (match.status, match.interested_at is None) == ("referred", False)


def study(page: Page, staff: User, name: str) -> None:
    """The identity is open now."""
    read_notice(page, staff, "consent_given_lender")
    expect(page.locator("main")).to_contain_text(name)
    step(page, "study")
    assert Match.objects.get().status == "in_study"


def ask(page: Page) -> None:
    step(page, "ask", text="请说明今年的订单。")
    assert Match.objects.get().status == "waiting"


def read_answer(page: Page, staff: User) -> None:
    """The text stands on the page, the file is a download."""
    read_notice(page, staff, "question_answered_lender")
    expect(page.locator("main")).to_contain_text("附上今年的订单。")
    file = AnswerFile.objects.get()
    with page.expect_download() as download:
        page.locator(f"a[href='{INBOX}{Match.objects.get().pk}/files/{file.pk}/']").click()
    assert download.value.suggested_filename == file.name
    assert Match.objects.get().status == "in_study"


def offer_terms(page: Page, **values: Any) -> None:
    step(page, "terms", conditions="放款前办妥质押登记。", **values)
    assert Match.objects.get().status == "terms_offered"


def register_pledges(page: Page) -> None:
    pledge = Pledge.objects.get()
    typed = {f"number_{pledge.pk}": "Y2026980000001", "signed_on": timezone.localdate()}
    step(page, "register", **typed, **{f"registered_on_{pledge.pk}": timezone.localdate()})
    pledge.refresh_from_db()
    assert pledge.status == "registered"


def draw(page: Page, amount: str, reference: str) -> None:
    step(page, "drawdown", amount=amount, reference=reference)
    drawdown = Match.objects.get().drawdowns.get(reference=reference)
    assert drawdown.amount == Decimal(amount.replace(",", ""))


def complete(page: Page) -> None:
    step(page, "complete")
    match = Match.objects.get()
    assert (match.status, match.request.status) == ("completed", "funded")


def release_pledges(page: Page) -> None:
    pledge = Pledge.objects.get()
    step(page, "release", **{f"released_on_{pledge.pk}": timezone.localdate()})
    pledge.refresh_from_db()
    assert pledge.status == "released"


def issue_policy(page: Page, number: str) -> None:
    step(page, "policy", number=number)
    match = Match.objects.get()
    assert (match.status, match.request.status) == ("completed", "covered")
    follow(page, INBOX)
