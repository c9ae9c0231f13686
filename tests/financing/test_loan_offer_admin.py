"""Lender staff post, change and publish offers of their own institution in the admin."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from financing.models import LoanOffer
from sipo_portal.accounts.models import User
from sipo_portal.audit.models import AuditEvent
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.accounts import make_coordinator, make_owner
from tests.factories.financing import (
    make_institution,
    make_loan_offer,
    make_policy,
    make_staff,
    make_system_admin,
)
from tests.factories.offices import make_office, make_region

pytestmark = pytest.mark.django_db

LIST = "admin:financing_loanoffer_changelist"
ADD = "admin:financing_loanoffer_add"
CHANGE = "admin:financing_loanoffer_change"
STEP = "admin:financing_loanoffer_step"


@pytest.fixture(autouse=True)
def _english() -> Any:
    with translation.override("en"):
        yield


def signed_in(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def typed(**changes: Any) -> dict[str, Any]:
    """What a person types for a complete appraised offer; amounts in 10,000 yuan."""
    return {
        "name": "Patent pledge loan",
        "description": "",
        "opens_on": "2026-01-01",
        "closes_on": "",
        "min_principal": "10",
        "max_principal": "1,000",
        "min_term_months": "6",
        "max_term_months": "36",
        "rate_basis": "lpr_1y",
        "interest_rate_percent": "",
        "spread_bp": "−10",
        "repayment_method": "interest_monthly",
        "day_count": "act/360",
        "size_classes": ["micro", "small"],
        "provinces": [],
        "division_codes": "",
        "industries": "39, C34",
        "min_operating_months": "12",
        "required_certificates": [],
        "collateral_basis": "appraised",
        "collateral_share_percent": "",
        "min_patents": "1",
        "life_margin_months": "12",
        "unappraised_limit": "",
        "appraisal_fee": "",
        "max_appraisal_age_months": "",
        "capacity_amount": "5000",
        "capacity_count": "",
        **rows("accepted_kinds", [{"kind": "invention", "loan_to_value_percent": "40"}]),
        **rows("collateral_limits", []),
        **rows("fees", []),
    } | changes


def rows(prefix: str, filled: list[dict[str, str]], initial: int = 0) -> dict[str, str]:
    data = {
        f"{prefix}-TOTAL_FORMS": str(len(filled)),
        f"{prefix}-INITIAL_FORMS": str(initial),
        f"{prefix}-MIN_NUM_FORMS": "0",
        f"{prefix}-MAX_NUM_FORMS": "1000",
    }
    for index, row in enumerate(filled):
        data |= {f"{prefix}-{index}-{name}": value for name, value in row.items()}
    return data


def errors_of(response: Any) -> dict[str, list[str]]:
    """Messages by field of the page, rows of tables included."""
    found = dict(response.context["adminform"].form.errors)
    for inline in response.context["inline_admin_formsets"]:
        for form in inline.formset.forms:
            found |= {form.add_prefix(name): list(texts) for name, texts in form.errors.items()}
    return {name: list(texts) for name, texts in found.items()}


def test_an_offer_is_posted_as_a_draft_of_the_persons_own_institution() -> None:
    staff = make_staff()
    other = make_institution()
    make_region("320500")
    client = signed_in(staff)

    assert client.get(reverse(ADD)).status_code == 200
    response = client.post(
        reverse(ADD),
        typed(provinces=["320000"], institution=str(other.pk), division_codes="320500，320500"),
    )

    offer = LoanOffer.objects.get()
    assert response.status_code == 302
    assert response.url == reverse(CHANGE, args=[offer.pk])
    assert offer.institution == staff.institution_post.institution
    assert offer.status == "draft"
    assert (offer.min_principal, offer.max_principal) == (100_000, 10_000_000)
    assert offer.spread_bp == -10
    assert offer.industries == ["C39", "C34"]
    assert sorted(region.pk for region in offer.regions.all()) == ["320000", "320500"]
    assert offer.accepted_kinds.get().loan_to_value_percent == 40
    assert AuditEvent.objects.filter(verb="offer.saved", object_id=str(offer.pk)).count() == 1
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"max_principal": "5"}, "max_principal", "below the least"),
        ({"max_principal": "NaN"}, "max_principal", "number in figures"),
        ({"max_principal": "1e309"}, "max_principal", "number in figures"),
        ({"min_principal": "-1"}, "min_principal", "minus sign"),
        ({"max_term_months": "3"}, "max_term_months", "below the shortest"),
        ({"max_term_months": "361"}, "max_term_months", "360 or less"),
        ({"spread_bp": ""}, "spread_bp", "spread in basis points"),
        ({"spread_bp": "half"}, "spread_bp", "whole number"),
        ({"rate_basis": "fixed"}, "interest_rate_percent", "fixed rate"),
        ({"closes_on": "2025-12-31"}, "closes_on", "before the first day"),
        ({"closes_on": "soon"}, "closes_on", "year-month-day"),
        ({"size_classes": []}, "size_classes", "at least one size class"),
        ({"industries": "C39 Z99"}, "industries", "Z99"),
        ({"industries": "39;!"}, "industries", "!"),
        ({"industries": "C99"}, "industries", "C99"),
        ({"division_codes": "32"}, "division_codes", "six digits"),
        ({"division_codes": "999999"}, "division_codes", "999999"),
        ({"provinces": ["999999"]}, "provinces", "999999"),
        (
            {"collateral_basis": "share_of_principal"},
            "collateral_share_percent",
            "share of the principal",
        ),
        ({"collateral_basis": "limit_table"}, "collateral_basis", "limit table"),
        ({"unappraised_limit": "0"}, "unappraised_limit", "above 0"),
        ({"capacity_amount": "9"}, "capacity_amount", "at least the smallest amount"),
        ({"capacity_count": "0"}, "capacity_count", "at least 1"),
        ({"min_patents": "0"}, "min_patents", "1 or more"),
        (rows("accepted_kinds", []), "__all__", "at least one kind"),
        (
            rows("accepted_kinds", [{"kind": "invention", "loan_to_value_percent": ""}]),
            "accepted_kinds-0-loan_to_value_percent",
            "more than 0",
        ),
        (
            rows("accepted_kinds", [{"kind": "design", "loan_to_value_percent": "101"}]),
            "accepted_kinds-0-loan_to_value_percent",
            "100 or less",
        ),
        (
            rows("accepted_kinds", [{"kind": "design", "loan_to_value_percent": "5"}] * 2),
            "accepted_kinds-1-kind",
            "there twice",
        ),
        (
            {
                "collateral_basis": "limit_table",
                **rows(
                    "collateral_limits",
                    [
                        {"min_patents": "3", "limit_amount": "100"},
                        {"min_patents": "1", "limit_amount": "300"},
                    ],
                ),
            },
            "collateral_limits-0-limit_amount",
            "higher limit",
        ),
        (
            {
                "collateral_basis": "limit_table",
                **rows(
                    "collateral_limits",
                    [
                        {"min_patents": "2", "limit_amount": "100"},
                        {"min_patents": "2", "limit_amount": "300"},
                    ],
                ),
            },
            "collateral_limits-1-min_patents",
            "there twice",
        ),
        (
            {
                "collateral_basis": "limit_table",
                **rows("collateral_limits", [{"min_patents": "1", "limit_amount": "0"}]),
            },
            "collateral_limits-0-limit_amount",
            "above 0",
        ),
        (
            rows("fees", [{"kind": "service", "payer": "borrower", "timing": "upfront"}]),
            "fees-0-amount",
            "amount or a share",
        ),
        (
            rows(
                "fees",
                [
                    {
                        "kind": "service",
                        "payer": "borrower",
                        "timing": "upfront",
                        "amount": "1",
                        "percent": "1",
                    }
                ],
            ),
            "fees-0-percent",
            "not both",
        ),
    ],
)
def test_each_fault_is_named_at_its_field_and_nothing_typed_is_lost(
    changes: dict[str, Any], field: str, words: str
) -> None:
    response = signed_in(make_staff()).post(reverse(ADD), typed(**changes))

    assert response.status_code == 200
    errors = errors_of(response)
    assert words in " ".join(errors.get(field, [])), errors
    assert "Patent pledge loan" in response.content.decode()
    assert not LoanOffer.objects.exists()


def test_a_changed_published_offer_is_audited_with_before_and_after_and_matched_once() -> None:
    staff = make_staff()
    institution = staff.institution_post.institution
    offer = make_loan_offer(institution, accepted_kinds={"invention": 40}, min_patents=1)
    part = offer.accepted_kinds.get()
    kinds = rows(
        "accepted_kinds",
        [{"id": str(part.pk), "offer": str(offer.pk), "kind": "invention"}],
        initial=1,
    )
    kinds["accepted_kinds-0-loan_to_value_percent"] = "45"
    client = signed_in(staff)

    response = client.post(reverse(CHANGE, args=[offer.pk]), typed(max_principal="400", **kinds))

    assert response.status_code == 302, errors_of(response)
    offer.refresh_from_db()
    assert offer.max_principal == 4_000_000
    assert offer.accepted_kinds.get().loan_to_value_percent == 45
    event = AuditEvent.objects.get(verb="offer.saved")
    assert event.data["changed"]["max_principal"] == ["5000000.00", "4000000"]
    assert event.data["changed"]["accepted_kinds"] == [
        [["invention", "40.000", 0]],
        [["invention", "45", 0]],
    ]
    assert "capacity_amount" not in event.data["changed"]
    message = OutboxMessage.objects.get()
    assert (message.task, message.payload) == ("financing.match_offer", {"offer_id": offer.pk})

    kinds["accepted_kinds-0-id"] = str(offer.accepted_kinds.get().pk)
    client.post(reverse(CHANGE, args=[offer.pk]), typed(max_principal="400", **kinds))
    assert AuditEvent.objects.filter(verb="offer.saved").count() == 1
    assert OutboxMessage.objects.count() == 1


def test_capacity_cannot_be_set_below_what_is_booked() -> None:
    staff = make_staff()
    offer = make_loan_offer(
        staff.institution_post.institution,
        booked_amount=Decimal("2000000.01"),
        booked_count=3,
    )
    response = signed_in(staff).post(
        reverse(CHANGE, args=[offer.pk]), typed(capacity_amount="200", capacity_count="2")
    )

    errors = errors_of(response)
    assert "2,000,000.01 yuan are booked" in errors["capacity_amount"][0]
    assert "3 contracts are booked" in errors["capacity_count"][0]
    offer.refresh_from_db()
    assert offer.capacity_amount == 50_000_000


def test_publishing_asks_first_then_enqueues_one_message_and_audits() -> None:
    staff = make_staff()
    offer = make_loan_offer(staff.institution_post.institution, status="draft")
    client = signed_in(staff)
    page = reverse(STEP, args=[offer.pk, "publish"])

    assert page in client.get(reverse(CHANGE, args=[offer.pk])).content.decode()
    assert client.get(page).status_code == 200
    offer.refresh_from_db()
    assert offer.status == "draft"

    response = client.post(page)
    again = client.post(page, follow=True)

    assert response.url == reverse(CHANGE, args=[offer.pk])
    assert "not possible any more" in again.content.decode()
    offer.refresh_from_db()
    assert offer.status == "published"
    assert offer.published_at is not None
    assert [event.data for event in AuditEvent.objects.filter(verb="offer.publish")] == [
        {"from": "draft", "to": "published"}
    ]
    message = OutboxMessage.objects.get()
    assert (message.task, message.payload) == ("financing.match_offer", {"offer_id": offer.pk})


def test_pause_resume_close_and_copy() -> None:
    staff = make_staff()
    offer = make_loan_offer(
        staff.institution_post.institution, booked_amount=Decimal(1), limits={1: 10, 2: 20}
    )
    client = signed_in(staff)
    for action, status in [("pause", "paused"), ("resume", "published"), ("close", "closed")]:
        client.post(reverse(STEP, args=[offer.pk, action]))
        offer.refresh_from_db()
        assert offer.status == status
    page = client.get(reverse(CHANGE, args=[offer.pk]))
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert client.post(reverse(CHANGE, args=[offer.pk]), typed()).status_code == 403

    client.post(reverse(STEP, args=[offer.pk, "copy"]))

    copy = LoanOffer.objects.exclude(pk=offer.pk).get()
    assert (copy.status, copy.booked_amount, copy.name) == ("draft", 0, f"{offer.name} (copy)")
    assert copy.collateral_limits.count() == 2
    assert copy.accepted_kinds.count() == 2


def test_a_suspended_institution_or_a_past_last_day_cannot_publish() -> None:
    staff = make_staff(make_institution(is_suspended=True))
    offer = make_loan_offer(staff.institution_post.institution, status="draft")
    over = make_loan_offer(
        make_institution(), status="draft", closes_on=timezone.localdate().replace(day=1, month=1)
    )
    LoanOffer.objects.filter(pk=over.pk).update(opens_on="2020-01-01", closes_on="2020-02-01")
    client = signed_in(staff)

    shown = client.post(reverse(STEP, args=[offer.pk, "publish"]), follow=True)
    assert "institution is suspended" in shown.content.decode()
    client = signed_in(make_staff(over.institution))
    shown = client.post(reverse(STEP, args=[over.pk, "publish"]), follow=True)
    assert "last day of the offer is over" in shown.content.decode()
    assert not LoanOffer.objects.filter(status="published").exists()


def test_an_offer_dearer_than_the_ceiling_is_saved_with_a_clear_warning() -> None:
    make_policy()
    staff = make_staff()
    institution = staff.institution_post.institution
    client = signed_in(staff)
    dear = make_loan_offer(institution, interest_rate_percent=Decimal("9.900"))
    cheap = make_loan_offer(institution, interest_rate_percent=Decimal("2.500"))

    assert "will not be proposed" in client.get(reverse(CHANGE, args=[dear.pk])).content.decode()
    assert "ceiling" not in client.get(reverse(CHANGE, args=[cheap.pk])).content.decode()


def test_own_foreign_and_absent_offers_and_other_roles() -> None:
    staff, rival, insurer = make_staff(), make_staff(), make_staff(make_institution("insurer"))
    offer = make_loan_offer(staff.institution_post.institution, name="Own offer")
    foreign = make_loan_offer(rival.institution_post.institution, name="Rival offer")
    client = signed_in(staff)

    listed = client.get(reverse(LIST)).content.decode()
    assert "Own offer" in listed
    assert "Rival offer" not in listed
    for pk in (foreign.pk, 10**9, 10**30):
        assert client.get(reverse(CHANGE, args=[pk])).status_code == 404
        assert client.post(reverse(CHANGE, args=[pk]), typed()).status_code == 404
        assert client.get(reverse(STEP, args=[pk, "close"])).status_code == 404
        assert client.post(reverse(STEP, args=[pk, "close"])).status_code == 404
    assert client.get(reverse(STEP, args=[offer.pk, "explode"])).status_code == 404

    assert signed_in(insurer).get(reverse(ADD)).status_code == 403
    office = make_office()
    for user in (make_system_admin(), make_owner(), make_coordinator(office)):
        for page in (
            reverse(LIST),
            reverse(ADD),
            reverse(CHANGE, args=[offer.pk]),
            reverse(STEP, args=[offer.pk, "close"]),
        ):
            assert signed_in(user).get(page).status_code == 403, (user.role, page)
    foreign.refresh_from_db()
    assert foreign.status == "published"


def test_staff_whose_post_ended_reach_nothing() -> None:
    staff = make_staff()
    offer = make_loan_offer(staff.institution_post.institution)
    staff.institution_post.is_active = False
    staff.institution_post.save()
    client = signed_in(staff)

    assert client.get(reverse(CHANGE, args=[offer.pk])).status_code == 403
    assert client.get(reverse(ADD)).status_code == 403


def test_the_list_asks_the_database_as_often_for_many_offers(
    django_assert_max_num_queries: Any,
) -> None:
    staff = make_staff()
    for _number in range(12):
        make_loan_offer(staff.institution_post.institution)
    client = signed_in(staff)
    client.get(reverse(LIST))
    with django_assert_max_num_queries(15):
        client.get(reverse(LIST))
