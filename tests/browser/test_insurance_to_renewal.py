"""One insurance from sign-up to policy and renewal, each person in an own real browser."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from financing.models import InsurancePolicy, InsuranceRequest, Match
from financing.services.insurance_policies import run_renewals
from sipo_portal.accounts.models import User
from tests.browser import lender_steps as insurer
from tests.browser import owner_steps as owner
from tests.browser.looks import all_faults
from tests.browser.office_steps import review
from tests.browser.steps import OpenPage, RunOutbox, follow, press, read_notice
from tests.factories.accounts import make_coordinator
from tests.factories.businesses import credit_code, patent_number
from tests.factories.financing import make_staff
from tests.factories.insurance import (
    make_insurance_offer,
    make_insurance_policy_of_the_day,
    make_insurer,
)
from tests.factories.offices import make_office, make_region

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BEIJING = ZoneInfo("Asia/Shanghai")
NUMBER = "PIC-2026-001"


@pytest.mark.parametrize(
    ("width", "language", "scripts"), [(1280, "zh-CN", True), (360, "en", False)]
)
def test_an_insurance_to_its_renewal(
    open_walk: OpenPage, run_outbox: RunOutbox, width: int, language: str, scripts: bool
) -> None:
    make_insurance_policy_of_the_day()
    make_region("320505")
    coordinator = make_coordinator(make_office("320000"))
    company = make_insurer()
    staff = make_staff(company)
    offer = make_insurance_offer(company)
    make_insurance_offer(min_sum_insured=500_000)
    pages = [open_walk(width=width, language=language, scripts=scripts) for _each in range(4)]
    home, office, desk, phone = pages

    # A request, and which cover fits it.
    code, number = credit_code("320505"), patent_number("invention", 2021)
    user = owner.sign_up(home)
    owner.register_business(home, code, scripts=scripts)
    owner.add_patent(home, number)
    owner.ask_for_insurance(home, run_outbox)
    owner.see_reasons(home)
    review(office, coordinator, run_outbox)
    run_outbox()

    # Blind, then with everybody's consent open: study and terms.
    secrets = (owner.NAME, code, number, number.split(".")[0], owner.TITLE, owner.PERSON)
    insurer.read_inbox(desk, staff, (*secrets, user.email))
    insurer.declare_interest(desk)
    read_notice(home, user, "interest_declared_owner")
    owner.consent(home)
    owner.consent_as_person(phone, run_outbox)
    insurer.study(desk, staff, owner.NAME)
    insurer.offer_terms(desk, premium="980.50")
    read_notice(home, user, "terms_offered_owner")
    owner.accept(home, "1,000.00", "980.50")

    # The policy.
    read_notice(desk, staff, "terms_accepted_lender")
    insurer.issue_policy(desk, NUMBER)
    offer.refresh_from_db()
    assert (offer.booked_amount, offer.booked_count) == (100_000, 1)
    read_notice(home, user, "policy_issued_owner")
    expect(home.locator("#progress")).to_contain_text(NUMBER)
    owner.confirm_delivery(home)
    read_notice(desk, staff, "delivery_confirmed_lender")

    renew(home, user, run_outbox)
    assert not all_faults(pages), all_faults(pages)


def renew(page: Page, user: User, run_outbox: RunOutbox) -> None:
    """Sixty days before the end the clock reminds; the page offers the next period."""
    policy = InsurancePolicy.objects.get()
    address = f"/insurance/policies/{policy.pk}/renew/"
    assert not page.locator(f"form[action='{address}']").count()
    due_on = policy.ends_on - timedelta(days=60)
    assert not run_renewals(noon(due_on - timedelta(days=1)))
    assert run_renewals(noon(due_on)) == {"renewal_reminded": 1}
    # That day has come: what time does to the policy, seen from today.
    gone = due_on - timezone.localdate()
    policy.starts_on, policy.ends_on = policy.starts_on - gone, policy.ends_on - gone
    policy.save()
    run_outbox()
    read_notice(page, user, "renewal_due_owner")
    press(page, address)
    draft = InsuranceRequest.objects.get(status="draft")
    assert page.url.endswith(f"/insurance/{draft.pk}/")
    policy.refresh_from_db()
    assert policy.renewal_request == draft
    follow(page, f"/insurance/{draft.pk}/check/")
    owner.send(page, draft, run_outbox)
    assert draft.proposals.count() == 1
    # The cover in force stays what it was, and its page shows what comes next.
    match = Match.objects.get()
    assert (match.status, match.request.status) == ("completed", "covered")
    follow(page, "/requests/")
    follow(page, f"/insurance/{match.insurance_request_id}/")
    follow(page, f"/matches/{match.pk}/")
    expect(page.locator(f"#progress a[href='/insurance/{draft.pk}/']")).to_be_visible()


def noon(day: object) -> datetime:
    return datetime.combine(day, time(12), BEIJING)  # type: ignore[arg-type]
