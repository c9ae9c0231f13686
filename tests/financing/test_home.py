"""The first page of each role, and what an owner is told to do next."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from businesses.rules.patent_term import add_months
from financing.next_steps import owner_home
from sipo_portal.accounts.models import Role
from tests.factories.accounts import make_coordinator, make_owner, make_user
from tests.factories.businesses import make_business, make_office, make_patent
from tests.factories.financing import (
    make_loan_request,
    make_match,
    make_proposal,
    make_staff,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(language="en")


def titles(user):
    return [step.title for step in owner_home(user, today=timezone.localdate()).steps]


def test_visitors_see_the_public_page(client):
    response = client.get("/")

    assert response.status_code == 200
    assert "home/landing.html" in [template.name for template in response.templates]


def test_coordinators_and_staff_go_to_their_work(client):
    client.force_login(make_coordinator(make_office()))
    assert client.get("/").url == reverse("financing:review_queue")

    for user in (make_staff(), make_user(Role.SYSTEM_ADMIN), make_user(Role.AUDIT_ADMIN)):
        client.force_login(user)
        assert client.get("/").url == reverse("admin:index")


@pytest.mark.usefixtures("_english")
class TestNextSteps:
    """In the order of an owner's first days."""

    @pytest.fixture
    def _english(self, settings):
        settings.LANGUAGE_CODE = "en"

    def test_first_the_business(self, owner):
        assert titles(owner) == ["Register your business"]

    def test_then_a_patent(self, owner):
        make_business(owner=owner)
        assert titles(owner) == ["Add your patents"]

    def test_a_patent_begun_is_finished(self, owner):
        make_patent(make_business(owner=owner), status="draft")
        assert titles(owner) == ["Finish registering your patent"]

    def test_then_the_loan(self, owner):
        make_patent(make_business(owner=owner))
        assert titles(owner) == ["Ask for a loan"]

    def test_a_large_business_is_not_sent_to_ask(self, owner):
        make_patent(make_business(owner=owner, size_class="large"))
        assert titles(owner) == []

    def test_missing_figures_are_asked_for(self, owner):
        make_patent(make_business(owner=owner, size_class="undetermined"))
        assert titles(owner) == ["State staff, revenue and assets"]

    def test_unknown_annuities_are_asked_for(self, owner):
        business = make_business(owner=owner)
        make_patent(business, annuity_paid_through_year=None)
        assert titles(owner) == ["Record which annuities are paid", "Ask for a loan"]

    def test_an_annuity_in_grace_comes_first_with_its_day(self, owner):
        today = timezone.localdate()
        business = make_business(owner=owner)
        filed_on = add_months(today - timedelta(days=40), -36)
        make_patent(business, filed_on=filed_on, annuity_paid_through_year=3)
        make_loan_request(business, status="draft")

        first, *_others = owner_home(owner, today=today).steps

        assert first.title == "Pay the overdue annuity of a patent"
        assert first.by is not None
        assert first.by > today

    def test_a_draft_is_finished(self, owner):
        make_loan_request(make_business(owner=owner), status="draft")
        assert titles(owner) == ["Finish your loan request"]

    def test_proposals_are_looked_at(self, owner):
        make_proposal(make_loan_request(make_business(owner=owner)))
        assert titles(owner) == ["Look at 1 offer that fits"]

    def test_without_any_the_near_misses_are(self, owner):
        make_loan_request(make_business(owner=owner))
        assert titles(owner) == ["See what would make an offer fit"]

    def test_a_match_in_hand_asks_nothing(self, owner):
        make_match(make_loan_request(make_business(owner=owner)), status="in_review")
        assert titles(owner) == []

    def test_a_question_of_the_branch_office_comes_first(self, owner):
        request = make_loan_request(make_business(owner=owner))
        day = timezone.localdate() + timedelta(days=3)
        make_match(request, status="returned", deadline_on=day)
        make_proposal(request)

        first = owner_home(owner, today=timezone.localdate()).steps[0]
        assert (first.title, first.by) == ("Answer the branch office", day)

    def test_nothing_of_others_is_named(self, owner, client):
        make_loan_request(make_business(name="Foreign business"), principal=Decimal(7_770_000))
        client.force_login(owner)

        text = client.get("/").content.decode()
        assert "Foreign business" not in text
        assert "7.77" not in text


def test_an_owner_sees_steps_businesses_and_requests(client, owner):
    business = make_business(owner=owner)
    make_proposal(make_loan_request(business))
    client.force_login(owner)

    text = client.get("/").content.decode()

    assert business.name in text
    assert "Look at 1 offer that fits" in text
    assert "CNY\u00a01\u00a0million for 12 months" in text
