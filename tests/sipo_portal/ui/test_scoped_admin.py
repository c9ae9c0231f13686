"""The scoped admin base: rows by `visible_to`, pages by role, writes by the service."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from financing.models.loan_offers import LoanOffer
from sipo_portal.ui.scoped_admin import ScopedModelAdmin
from tests.factories.accounts import make_owner, make_user
from tests.factories.financing import (
    make_institution,
    make_loan_offer,
    make_staff,
    make_system_admin,
)
from tests.sipo_portal.ui import admin_urls

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.sipo_portal.ui.admin_urls")]
LIST = "/admin/financing/loanoffer/"


@pytest.fixture
def ours() -> LoanOffer:
    return make_loan_offer(make_institution(name="本行", name_en=""), name="our offer")


@pytest.fixture
def foreign() -> LoanOffer:
    return make_loan_offer(make_institution(name="他行", name_en=""), name="foreign offer")


@pytest.fixture
def staff(ours: LoanOffer) -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.force_login(make_staff(ours.institution))
    admin_urls.calls.clear()
    return client


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def posted(offer: LoanOffer, **changes: Any) -> dict[str, Any]:
    return {
        "institution": offer.institution_id,
        "name": "new name",
        "opens_on": "2026-01-01",
        "capacity_amount": "１，０００，０００",
        "fees-TOTAL_FORMS": 1,
        "fees-INITIAL_FORMS": 0,
        "fees-0-kind": "",
        "fees-0-payer": "borrower",
        "fees-0-amount": "",
        **changes,
    }


def test_absent_and_foreign_rows_look_the_same(staff: Client, foreign: LoanOffer) -> None:
    for pk in (foreign.pk, 10**9, 10**30, "x", "a%00b"):
        for action in ("change", "delete"):
            assert staff.get(f"{LIST}{pk}/{action}/").status_code == 404, (pk, action)
    assert staff.post(f"{LIST}{foreign.pk}/change/", posted(foreign)).status_code == 404
    assert admin_urls.calls == []


def test_own_row_opens_but_not_for_deleting(staff: Client, ours: LoanOffer) -> None:
    assert staff.get(f"{LIST}{ours.pk}/change/").status_code == 200
    assert staff.get(f"{LIST}{ours.pk}/delete/").status_code == 403


def test_history_and_the_short_address_are_not_there(staff: Client, ours: LoanOffer) -> None:
    assert staff.get(f"{LIST}{ours.pk}/history/").status_code == 404
    assert staff.get(f"{LIST}{ours.pk}/").status_code == 404
    assert staff.get(f"/admin/r/1/{ours.pk}/").status_code == 404


@pytest.mark.parametrize("address", ["", "add/", "{pk}/change/", "999999999/change/"])
def test_wrong_role_is_refused_before_any_row_is_looked_up(ours: LoanOffer, address: str) -> None:
    page = LIST + address.format(pk=ours.pk)
    assert signed_in(make_system_admin()).get(page).status_code == 403
    assert signed_in(make_owner()).get(page).status_code == 403


def test_anonymous_goes_to_the_sign_in_page(ours: LoanOffer) -> None:
    for page in ("/admin/", LIST, f"{LIST}{ours.pk}/change/", "/admin/nowhere/"):
        answer = Client().get(page)
        assert (answer.status_code, answer["Location"]) == (
            302,
            f"/accounts/login/?next={page}",
        )


def test_staff_without_second_factor_is_sent_to_set_it_up() -> None:
    client = signed_in(make_user("institution_staff", second_factor=False))
    assert client.get("/admin/")["Location"] == "/accounts/2fa/totp/activate/"


def test_list_search_filter_and_choices_show_no_foreign_row(
    staff: Client, foreign: LoanOffer
) -> None:
    for page in (LIST, f"{LIST}?q=offer", f"{LIST}add/"):
        text = staff.get(page).content.decode()
        assert "foreign offer" not in text
        assert "他行" not in text
    assert "本行" in staff.get(f"{LIST}add/").content.decode()
    answer = staff.get(f"{LIST}?institution__id__exact={foreign.institution_id}")
    assert foreign.pk not in {row.pk for row in answer.context["cl"].result_list}


def test_the_address_asks_nothing_the_page_does_not_offer(staff: Client, ours: LoanOffer) -> None:
    for lookup in ("capacity_amount__gte=1", "id__in=1", "institution__name__startswith=a"):
        assert staff.get(f"{LIST}?{lookup}").status_code == 400, lookup
    own = staff.get(f"{LIST}?institution__id__exact={ours.institution_id}&status__exact=published")
    assert own.context["cl"].result_count == 1


def test_saving_calls_the_service_once_with_the_children(staff: Client, ours: LoanOffer) -> None:
    data = posted(ours, **{"fees-0-kind": "service", "fees-0-amount": "2,000 元"})
    answer = staff.post(f"{LIST}{ours.pk}/change/", data)
    assert answer.status_code == 302, answer.context["errors"]
    (call,) = admin_urls.calls
    assert call["change"] is True
    assert call["data"]["capacity_amount"] == Decimal(1_000_000)
    assert [fee["amount"] for fee in call["fees"]] == [Decimal(2000)]
    assert ours.fees.count() == 0  # nothing is written past the service


def test_a_refusal_of_the_service_stands_at_the_field_and_nothing_is_kept(
    staff: Client, ours: LoanOffer
) -> None:
    data = posted(ours, name="refused", **{"fees-0-kind": "service", "fees-0-amount": "2000"})
    answer = staff.post(f"{LIST}{ours.pk}/change/", data)
    assert answer.status_code == 200
    form = answer.context["adminform"].form
    assert form.errors["name"] == ["the service refuses this name"]
    assert "the service has a general word" in form.non_field_errors()
    text = answer.content.decode()
    assert "the service refuses this fee" in text
    assert 'value="refused"' in text
    assert 'href="#id_capacity_amount"' in text
    assert "<title>Error:" in text
    assert len(admin_urls.calls) == 1
    ours.refresh_from_db()
    assert ours.name == "our offer"  # the service's own write was rolled back


@pytest.mark.parametrize("typed", ["NaN", "1e309", "Infinity", "-5", "abc", "9" * 30])
def test_figures_that_are_none_get_a_message(staff: Client, ours: LoanOffer, typed: str) -> None:
    answer = staff.post(f"{LIST}{ours.pk}/change/", posted(ours, capacity_amount=typed))
    assert answer.status_code == 200
    assert "capacity_amount" in answer.context["adminform"].form.errors
    assert admin_urls.calls == []


def test_a_foreign_institution_cannot_be_chosen(
    staff: Client, ours: LoanOffer, foreign: LoanOffer
) -> None:
    data = posted(ours, institution=foreign.institution_id)
    answer = staff.post(f"{LIST}{ours.pk}/change/", data)
    assert "institution" in answer.context["adminform"].form.errors


def test_inputs_in_a_table_carry_the_name_of_their_column(staff: Client, ours: LoanOffer) -> None:
    row = staff.get(f"{LIST}add/").context["inline_admin_formsets"][0].formset.forms[0]
    assert 'aria-label="' in str(row["amount"])
    assert 'aria-label="' in str(row["kind"])
    assert "aria-label" not in str(row["offer"])


def test_a_model_without_visible_to_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="visible_to"):
        ScopedModelAdmin(Group, admin_urls.site)


def test_pages_hold_nothing_the_content_security_policy_refuses(
    staff: Client, ours: LoanOffer
) -> None:
    for page in ("/admin/", LIST, f"{LIST}add/", f"{LIST}{ours.pk}/change/"):
        text = staff.get(page).content.decode()
        assert " style=" not in text
        assert "<style" not in text
        assert " onclick=" not in text
