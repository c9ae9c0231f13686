"""What a coordinator does with a request until it is referred; the walks."""

from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from businesses.models import Business, Patent
from financing.models import LoanRequest, Match, Proposal
from sipo_portal.accounts.models import User
from tests.browser.steps import RunOutbox, click, follow, see_result, sign_in, submit


def review(page: Page, coordinator: User, run_outbox: RunOutbox) -> None:
    """Match the region, verify the business, claim, compare with the register, approve."""
    sign_in(page, coordinator)
    match_region(page, run_outbox)
    verify(page)
    claim(page, coordinator)
    approve(page)
    assert Patent.objects.get().status == "verified"


def match_region(page: Page, run_outbox: RunOutbox) -> None:
    follow(page, "/runs/")
    follow(page, "/runs/start/")
    submit(page)
    expect(page.locator("#progress progress")).to_be_visible()
    assert run_outbox() == 1
    see_result(page)
    assert not Proposal.objects.get().is_provisional


def verify(page: Page) -> None:
    business = Business.objects.get()
    follow(page, "/review/")
    follow(page, f"/businesses/verification/{business.pk}/", "main")
    submit(page)
    business.refresh_from_db()
    assert business.status == "verified"


def claim(page: Page, coordinator: User) -> None:
    proposal = Proposal.objects.get()
    kind = "requests" if isinstance(proposal.request, LoanRequest) else "insurance"
    follow(page, "/review/")
    pair = f"/review/{kind}/{proposal.request.pk}/offers/{proposal.offer.pk}/"
    follow(page, pair, "main")
    submit(page, "#decision")
    match = Match.objects.get()
    assert urlsplit(page.url).path == f"/review/matches/{match.pk}/"
    assert (match.status, match.claimed_by) == ("in_review", coordinator)


def approve(page: Page) -> None:
    """Approving without having compared is refused at the box."""
    click(page.locator("#approve button.btn-primary"))
    expect(page.locator(".error-summary")).to_be_visible()
    page.locator("#approve_has_compared").check()
    click(page.locator("#approve button.btn-primary"))
    assert Match.objects.get().status == "referred"
