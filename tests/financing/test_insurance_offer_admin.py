"""Insurers' staff post, change and publish insurance offers of their own institution."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from financing.models import InsuranceOffer
from financing.offer_warnings import offer_warnings
from sipo_portal.accounts.models import User
from sipo_portal.audit.models import AuditEvent
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.accounts import make_coordinator, make_owner
from tests.factories.financing import make_institution, make_staff
from tests.factories.insurance import (
    make_insurance_offer,
    make_insurance_policy_of_the_day,
    make_insurer,
)
from tests.factories.offices import make_office, make_region
from tests.financing.test_loan_offer_admin import errors_of

pytestmark = pytest.mark.django_db

LIST = "admin:financing_insuranceoffer_changelist"
ADD = "admin:financing_insuranceoffer_add"
CHANGE = "admin:financing_insuranceoffer_change"
STEP = "admin:financing_insuranceoffer_step"


@pytest.fixture(autouse=True)
def _english() -> Any:
    with translation.override("en"):
        yield


@pytest.fixture
def staff() -> User:
    return make_staff(make_insurer())


def signed_in(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def typed(**changes: Any) -> dict[str, Any]:
    """A complete enforcement cover; sums in 10,000 yuan, premiums in yuan."""
    return {
        "name": "Enforcement cover",
        "description": "",
        "opens_on": "2026-01-01",
        "closes_on": "",
        "cover_kind": "enforcement",
        "min_sum_insured": "2",
        "max_sum_insured": "100",
        "period_months": "12",
        "min_premium": "500",
        "base_premium": "400",
        "premium_per_patent": "100",
        "premium_rate_percent": "0.5",
        "excess_percent": "",
        "size_classes": ["micro", "small"],
        "provinces": [],
        "division_codes": "",
        "industries": "39",
        "accepted_kinds": ["invention"],
        "min_patents": "1",
        "min_remaining_months": "36",
        "accepts_licensee": "on",
        "refuses_disputes": "on",
        "capacity_amount": "1000",
        "capacity_count": "",
    } | changes


def test_an_offer_is_posted_as_a_draft_of_the_persons_own_insurer(staff: User) -> None:
    make_region("320500")
    client = signed_in(staff)
    assert client.get(reverse(ADD)).status_code == 200
    response = client.post(reverse(ADD), typed(provinces=["320000"]))
    offer = InsuranceOffer.objects.get()
    assert response.url == reverse(CHANGE, args=[offer.pk])
    assert (offer.institution, offer.status) == (staff.institution_post.institution, "draft")
    assert (offer.min_sum_insured, offer.max_sum_insured) == (20_000, 1_000_000)
    assert (offer.premium_rate_percent, offer.excess_percent) == (Decimal("0.5"), 0)
    assert (offer.accepts_licensee, offer.needs_co_owner_consent) == (True, False)
    assert offer.industries == ["C39"]
    assert [region.pk for region in offer.regions.all()] == ["320000"]
    assert AuditEvent.objects.filter(verb="offer.saved", object_id=str(offer.pk)).count() == 1
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"max_sum_insured": "1"}, "max_sum_insured", "below the least"),
        ({"min_sum_insured": "0"}, "min_sum_insured", "above 0"),
        ({"period_months": "61"}, "period_months", "60 or less"),
        ({"accepted_kinds": []}, "accepted_kinds", "kinds you insure"),
        ({"capacity_amount": "1"}, "capacity_amount", "at least the smallest amount"),
        ({"closes_on": "2025-12-31"}, "closes_on", "before the first day"),
        ({"size_classes": []}, "size_classes", "at least one size class"),
        ({"industries": "C99"}, "industries", "C99"),
        ({"excess_percent": "100"}, "excess_percent", "below 100"),
        (
            dict.fromkeys(
                ["min_premium", "base_premium", "premium_per_patent", "premium_rate_percent"], ""
            ),
            "base_premium",
            "cannot be 0",
        ),
    ],
)
def test_what_is_wrong_is_said_at_the_field(
    staff: User, changes: dict[str, Any], field: str, words: str
) -> None:
    response = signed_in(staff).post(reverse(ADD), typed(**changes))
    assert response.status_code == 200
    assert words in " ".join(errors_of(response)[field])
    assert not InsuranceOffer.objects.exists()


def test_capacity_cannot_be_set_below_what_is_booked(staff: User) -> None:
    offer = make_insurance_offer(
        staff.institution_post.institution, booked_amount=Decimal(600_000), booked_count=3
    )
    response = signed_in(staff).post(
        reverse(CHANGE, args=[offer.pk]), typed(capacity_amount="59", capacity_count="2")
    )
    errors = errors_of(response)
    assert "600,000.00 yuan are booked" in errors["capacity_amount"][0]
    assert "3 contracts are booked" in errors["capacity_count"][0]


def test_publishing_has_it_matched_and_a_closed_offer_is_fixed(staff: User) -> None:
    offer = make_insurance_offer(staff.institution_post.institution, status="draft")
    client = signed_in(staff)
    for action, status in (
        ("publish", "published"),
        ("pause", "paused"),
        ("resume", "published"),
        ("close", "closed"),
    ):
        assert client.get(reverse(STEP, args=[offer.pk, action])).status_code == 200
        client.post(reverse(STEP, args=[offer.pk, action]))
        offer.refresh_from_db()
        assert offer.status == status
    tasks = OutboxMessage.objects.values_list("task", flat=True)
    assert set(tasks) == {"financing.match_insurance_offer"}
    assert client.post(reverse(CHANGE, args=[offer.pk]), typed()).status_code == 403
    client.post(reverse(STEP, args=[offer.pk, "copy"]))
    copy = InsuranceOffer.objects.exclude(pk=offer.pk).get()
    assert (copy.status, copy.base_premium) == ("draft", offer.base_premium)


def test_a_changed_published_offer_is_matched_again(staff: User) -> None:
    offer = make_insurance_offer(staff.institution_post.institution)
    signed_in(staff).post(reverse(CHANGE, args=[offer.pk]), typed())
    assert OutboxMessage.objects.get().payload == {"offer_id": offer.pk}


def test_the_page_shows_premiums_beside_the_standard(staff: User) -> None:
    make_insurance_policy_of_the_day()
    offer = make_insurance_offer(staff.institution_post.institution)
    page = signed_in(staff).get(reverse(CHANGE, args=[offer.pk]))
    found = {
        (each.sum_insured, each.patent_count): (each.premium, each.standard)
        for each in page.context["premium_examples"]
    }
    # 400 + 100 n + 0.5 %, at least 500; table 600 + 260 n + 1 %, at least 860.
    assert found[Decimal(100_000), 1] == (Decimal(1000), Decimal(1860))
    assert found[Decimal(20_000), 3] == (Decimal(800), Decimal(1580))
    assert "1,860.00" in page.content.decode()


@pytest.mark.parametrize(
    ("premium", "codes"),
    [
        ({}, []),
        ({"premium_rate_percent": Decimal("1.05")}, ["partly_above_standard_premium"]),
        ({"base_premium": Decimal(50_000)}, ["above_standard_premium"]),
        ({"cover_kind": "overseas_liability"}, ["no_standard_premium"]),
    ],
)
def test_what_will_not_be_proposed_is_warned_of(premium: dict[str, Any], codes: list[str]) -> None:
    policy = make_insurance_policy_of_the_day()
    offer = make_insurance_offer(**premium)
    found = offer_warnings(offer, on=policy.effective_on)
    assert [warning.code for warning in found] == codes


def test_only_insurers_see_the_pages_and_only_their_own_rows(staff: User) -> None:
    foreign = make_insurance_offer()
    client = signed_in(staff)
    assert client.get(reverse(LIST)).status_code == 200
    assert foreign.name not in client.get(reverse(LIST)).content.decode()
    assert client.get(reverse(CHANGE, args=[foreign.pk])).status_code == 404
    assert client.get(reverse(STEP, args=[foreign.pk, "close"])).status_code == 404
    bank = signed_in(make_staff(make_institution("bank")))
    assert bank.get(reverse(ADD)).status_code == 403
    assert reverse(LIST) not in bank.get(reverse("admin:index")).content.decode()
    for user in (make_owner(), make_coordinator(make_office("320000"))):
        assert signed_in(user).get(reverse(LIST)).status_code in (302, 403)
