"""One loan from sign-up to drawdown, pledge and release, each person in an own real browser."""

import pytest
from playwright.sync_api import expect

from financing.models import LoanOffer, Match, Terms
from tests.browser import lender_steps as lender
from tests.browser import owner_steps as owner
from tests.browser.looks import all_faults
from tests.browser.office_steps import review
from tests.browser.steps import OpenPage, RunOutbox, follow, named, read_notice, visit
from tests.factories.accounts import make_coordinator
from tests.factories.businesses import credit_code, patent_number
from tests.factories.financing import make_institution, make_loan_offer, make_policy, make_staff
from tests.factories.guarantees import make_guarantee_offer
from tests.factories.offices import make_office, make_region

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("width", "language", "scripts"), [(1280, "zh-CN", True), (360, "en", False)]
)
def test_a_loan_to_the_released_pledge(
    open_walk: OpenPage, run_outbox: RunOutbox, width: int, language: str, scripts: bool
) -> None:
    make_policy()
    make_region("320505")
    coordinator = make_coordinator(make_office("320000"))
    bank = make_institution()
    staff = make_staff(bank)
    offer = make_loan_offer(bank, interest_rate_percent="2.800")
    make_guarantee_offer(is_pledgee=True).loan_offers.add(offer)
    make_loan_offer(min_principal=4_000_000)
    pages = [open_walk(width=width, language=language, scripts=scripts) for _each in range(4)]
    home, office, desk, phone = pages

    # A request, and what fits it.
    code, number = credit_code("320505"), patent_number("invention", 2021)
    user = owner.sign_up(home)
    owner.register_business(home, code, scripts=scripts)
    owner.add_patent(home, number)
    owner.appraise(home)
    owner.ask_for_loan(home, run_outbox)
    owner.see_reasons(home)
    review(office, coordinator, run_outbox)
    run_outbox()

    # Blind, then with everybody's consent open.
    secrets = (owner.NAME, code, number, number.split(".")[0], owner.TITLE, owner.PERSON)
    lender.read_inbox(desk, staff, (*secrets, user.email))
    lender.declare_interest(desk)
    read_notice(home, user, "interest_declared_owner")
    owner.consent(home)
    owner.consent_as_person(phone, run_outbox)

    # Study, a question, terms.
    lender.study(desk, staff, owner.NAME)
    lender.ask(desk)
    read_notice(home, user, "question_asked_owner")
    owner.answer(home)
    lender.read_answer(desk, staff)
    lender.offer_terms(desk, amount="900,000", interest_rate_percent="2.7")
    offer.refresh_from_db()
    assert (offer.booked_amount, Terms.objects.get().is_at_posted_cost) == (900_000, True)
    read_notice(home, user, "terms_offered_owner")
    owner.accept(home, "2.8", "2.7")

    # Pledge, money in two parts, what came of it.
    read_notice(desk, staff, "terms_accepted_lender")
    lender.register_pledges(desk)
    read_notice(home, user, "pledge_registered_owner")
    lender.draw(desk, "500,000", "FK-1")
    lender.draw(desk, "300,000.50", "FK-2")
    read_notice(home, user, "drawdown_recorded_owner")
    lender.complete(desk)
    offer.refresh_from_db()
    assert LoanOffer.objects.get(pk=offer.pk).booked_amount == offer.booked_amount
    assert str(offer.booked_amount) == "800000.50"
    read_notice(home, user, "completed_owner")
    owner.confirm_delivery(home)
    read_notice(desk, staff, "delivery_confirmed_lender")
    lender.release_pledges(desk)
    read_notice(home, user, "pledge_released_owner")
    expect(home.locator("#progress")).to_contain_text("Y2026980000001")
    read_notice(office, coordinator, "completed_office")

    # Who read what, and where the request is now.
    visit(home, "/disclosures/")
    expect(home.locator("main")).to_contain_text(named(bank))
    follow(home, "/requests/")
    follow(home, f"/requests/{Match.objects.get().loan_request_id}/")
    assert not all_faults(pages), all_faults(pages)
