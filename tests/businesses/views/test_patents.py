"""Adding, changing, checking and ending patents as owner and coordinator do it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from businesses.models import Patent
from businesses.rules.identifiers import patent_check_digit
from tests.factories.accounts import make_coordinator, make_owner
from tests.factories.businesses import (
    make_appraisal,
    make_business,
    make_co_owner,
    make_encumbrance,
    make_office,
    make_patent,
    patent_number,
)

pytestmark = pytest.mark.django_db


def url(name: str, *args: int) -> str:
    return reverse(f"businesses:{name}", args=args)


@pytest.fixture
def business(client):
    business = make_business(owner=make_owner())
    client.force_login(business.members.get().user)
    return business


@pytest.fixture
def typed():
    return {
        "application_number": f"zl {patent_number('utility_model', 2021)}",
        "title": "一种阀门",
        "filed_on": "2021-05-03",
        "granted_on": "2022-01-07",
        "annuity_paid_through_year": "6",
        "annuity_relief_percent": "85",
        "ipc_main": "F16K 1/00",
    }


def test_adding_reads_the_kind_and_registers(client, business, typed) -> None:
    answer = client.post(url("patent_add", business.pk), typed)
    patent = business.patents.get()
    assert answer.url == url("patent_detail", patent.pk)
    assert (patent.kind, patent.status) == ("utility_model", "registered")
    assert patent.annuity_relief_percent == Decimal(85)


def test_a_draft_is_registered_or_deleted(client, business, typed) -> None:
    client.post(url("patent_add", business.pk), {**typed, "second": "1"})
    patent = business.patents.get()
    assert patent.status == "draft"
    client.post(url("patent_register", patent.pk))
    client.post(url("patent_register", patent.pk))
    client.post(url("patent_remove", patent.pk))
    patent.refresh_from_db()
    assert patent.status == "registered"
    draft = make_patent(business, status="draft")
    assert client.get(url("patent_remove", draft.pk)).status_code == 200
    client.post(url("patent_remove", draft.pk))
    assert not Patent.objects.filter(pk=draft.pk).exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("application_number", ""),
        ("application_number", "202120000001.0"),
        ("application_number", "CN112345678B"),
        ("application_number", "PCT/CN2021/123456"),
        ("title", ""),
        ("title", "长" * 301),
        ("filed_on", "3 May"),
        ("filed_on", "2020-05-03"),
        ("filed_on", "2999-05-03"),
        ("granted_on", "2020-01-01"),
        ("granted_on", "2999-01-01"),
        ("annuity_paid_through_year", ""),
        ("annuity_paid_through_year", "0"),
        ("annuity_paid_through_year", "11"),
        ("annuity_paid_through_year", "x"),
        ("annuity_relief_percent", "50"),
        ("compensation_days", "-1"),
        ("publication_number", "C" * 21),
        ("ipc_main", "C" * 21),
        ("owner_name_on_register", "长" * 201),
    ],
)
def test_each_field_wrong_once(client, business, typed, field, value) -> None:
    answer = client.post(
        url("patent_add", business.pk), {**typed, field: value}, headers={"Accept-Language": "en"}
    )
    assert answer.status_code == 200
    assert field in answer.context["form"].errors, dict(answer.context["form"].errors)
    page = answer.content.decode()
    assert f'href="#id_{field}"' in page
    assert "F16K 1/00" in page or field == "ipc_main"
    assert not business.patents.exists()


def test_a_divisional_application_keeps_its_parents_date(client, business, typed) -> None:
    typed |= {"filed_on": "2020-05-03", "is_divisional": "on"}
    client.post(url("patent_add", business.pk), typed)
    patent = business.patents.get()
    page = client.get(url("patent_edit", patent.pk))
    assert page.context["form"].initial["is_divisional"]
    typed |= {"filed_on": "2022-01-03"}
    answer = client.post(url("patent_edit", patent.pk), typed)
    assert "filed_on" in answer.context["form"].errors


def test_the_same_number_twice_is_a_message(client, business, typed) -> None:
    first = client.post(url("patent_add", business.pk), typed)
    again = client.post(url("patent_add", business.pk), typed)
    assert again.url == first.url
    answer = client.post(url("patent_add", business.pk), {**typed, "title": "另一种阀门"})
    assert "application_number" in answer.context["form"].errors
    draft = client.post(url("patent_add", business.pk), {**typed, "second": "1"})
    assert "application_number" in draft.context["form"].errors
    assert business.patents.count() == 1
    other = make_business()
    client.force_login(other.members.get().user)
    client.post(url("patent_add", other.pk), typed)
    assert other.patents.count() == 1


def test_a_change_asks_for_the_check_again(client, business) -> None:
    patent = make_patent(business)
    page = client.get(url("patent_edit", patent.pk))
    same = {
        k: v for k, v in page.context["form"].initial.items() if v is not None and v is not False
    }
    client.post(url("patent_edit", patent.pk), same)
    patent.refresh_from_db()
    assert patent.status == "verified"
    client.post(url("patent_edit", patent.pk), {**same, "has_ownership_dispute": "on"})
    patent.refresh_from_db()
    assert (patent.status, patent.has_ownership_dispute) == ("registered", True)


def test_an_ended_patent_stays_as_it_is(client, business, typed) -> None:
    patent = make_patent(business)
    answer = client.post(url("patent_end", patent.pk), {"ended_on": "2999-01-01"})
    assert set(answer.context["form"].errors) == {"end_reason", "ended_on"}
    client.post(
        url("patent_end", patent.pk),
        {"end_reason": "abandoned", "ended_on": timezone.localdate().isoformat()},
    )
    patent.refresh_from_db()
    assert (patent.status, patent.end_reason) == ("ended", "abandoned")
    assert client.post(url("patent_edit", patent.pk), typed).context["form"].errors
    client.post(url("co_owners", patent.pk), co_owner_rows(("甲", "given", "2024-01-01")))
    assert not patent.co_owners.exists()


def test_the_coordinator_verifies_with_the_extracts_day(client, business) -> None:
    patent = make_patent(business, status="registered", register_extract_on=None)
    client.force_login(make_coordinator(make_office("320000")))
    page = url("patent_verify", patent.pk)
    tomorrow = timezone.localdate() + timedelta(days=1)
    for wrong in ("", "soon", tomorrow.isoformat()):
        answer = client.post(page, {"register_extract_on": wrong})
        assert "register_extract_on" in answer.context["form"].errors
    today = timezone.localdate()
    client.post(page, {"register_extract_on": (today - timedelta(days=3)).isoformat()})
    client.post(page, {"register_extract_on": today.isoformat()})
    patent.refresh_from_db()
    assert (patent.status, patent.register_extract_on) == ("verified", today)
    draft = make_patent(business, status="draft")
    answer = client.post(url("patent_verify", draft.pk), {"register_extract_on": today.isoformat()})
    assert answer.context["form"].errors


def co_owner_rows(*rows: tuple[str, str, str]) -> dict[str, str]:
    data = {"owners-TOTAL_FORMS": str(len(rows)), "owners-INITIAL_FORMS": "0"}
    for index, (name, consent, day) in enumerate(rows):
        data |= {
            f"owners-{index}-name": name,
            f"owners-{index}-kind": "organisation",
            f"owners-{index}-consent": consent,
            f"owners-{index}-consented_on": day,
        }
    return data


def test_co_owners_are_saved_together(client, business) -> None:
    patent = make_patent(business)
    page = url("co_owners", patent.pk)
    client.post(page, co_owner_rows(("甲公司", "given", "2024-01-01"), ("乙公司", "missing", "")))
    assert {each.name for each in patent.co_owners.all()} == {"甲公司", "乙公司"}
    patent.refresh_from_db()
    assert patent.status == "registered"
    client.post(page, co_owner_rows(("甲公司", "given", "2024-01-01")))
    assert patent.co_owners.get().name == "甲公司"


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ([("甲公司", "given", "")], "consented_on"),
        ([("甲公司", "given", "2999-01-01")], "consented_on"),
        ([("甲公司", "maybe", "")], "consent"),
        ([("甲公司", "missing", ""), ("甲 公司", "missing", "")], "name"),
    ],
)
def test_wrong_co_owners_are_messages_at_the_field(client, business, rows, field) -> None:
    patent = make_patent(business)
    answer = client.post(url("co_owners", patent.pk), co_owner_rows(*rows))
    errors = [form.errors for form in answer.context["formset"]]
    assert any(field in each for each in errors)
    assert rows[0][0] in answer.content.decode()
    assert not patent.co_owners.exists()


def test_rows_left_empty_are_no_co_owners(client, business) -> None:
    patent = make_patent(business)
    page = url("co_owners", patent.pk)
    data = {}
    for form in client.get(page).context["formset"]:
        for field in form:
            data[field.html_name] = field.value() or ""
    data = co_owner_rows(("甲公司", "missing", ""), ("", "missing", "")) | {
        name: value for name, value in data.items() if name.startswith("owners-1")
    }
    answer = client.post(page, data)
    assert answer.status_code == 302
    assert patent.co_owners.count() == 1


def test_a_row_can_be_removed(client, business) -> None:
    patent = make_patent(business)
    make_co_owner(patent, name="甲公司")
    data = co_owner_rows(("甲公司", "missing", ""))
    data |= {"owners-INITIAL_FORMS": "1", "owners-0-DELETE": "on"}
    client.post(url("co_owners", patent.pk), data)
    assert not patent.co_owners.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("appraiser", ""),
        ("appraised_on", ""),
        ("appraised_on", "2999-01-01"),
        ("appraised_on", "1999-01-01"),
        ("method", "guess"),
        ("appraised_value", "0"),
        ("appraised_value", "-5"),
        ("appraised_value", "NaN"),
    ],
)
def test_wrong_appraisals_are_messages_at_the_field(client, business, field, value) -> None:
    patent = make_patent(business)
    typed = {
        "appraiser": "示范评估",
        "appraised_on": timezone.localdate().isoformat(),
        "method": "income",
        "appraised_value": "185",
    }
    page = url("appraisal_add", patent.pk)
    assert field in client.post(page, {**typed, field: value}).context["form"].errors
    for _again in range(2):
        client.post(page, typed)
    assert patent.appraisals.get().appraised_value == Decimal(1_850_000)


def test_an_appraisal_can_be_taken_back(client, business) -> None:
    appraisal = make_appraisal(make_patent(business))
    assert client.get(url("appraisal_remove", appraisal.pk)).status_code == 200
    client.post(url("appraisal_remove", appraisal.pk))
    assert not appraisal.patent.appraisals.exists()


def test_an_encumbrance_is_entered_and_released(client, business) -> None:
    patent = make_patent(business)
    page = url("encumbrance_add", patent.pk)
    today = timezone.localdate()
    typed = {"kind": "pledge", "holder": "示范银行", "registered_on": today.isoformat()}
    for field, value in [
        ("kind", ""),
        ("holder", ""),
        ("registered_on", "1990-01-01"),
        ("releases_on", "2000-01-01"),
    ]:
        answer = client.post(page, {**typed, field: value})
        assert field in answer.context["form"].errors
    client.post(page, typed)
    client.post(page, typed)
    pledge = patent.encumbrances.get()
    release = url("encumbrance_release", pledge.pk)
    assert client.post(release, {"released_on": "2000-01-01"}).context["form"].errors
    client.post(release, {"released_on": today.isoformat()})
    assert client.post(release, {"released_on": today.isoformat()}).context["form"].errors


def test_the_page_says_what_stands_against_a_pledge(client, business) -> None:
    patent = make_patent(business)
    make_co_owner(patent, consent="missing", name="共有人甲")
    make_encumbrance(patent)
    page = client.get(
        url("patent_detail", patent.pk), headers={"Accept-Language": "en"}
    ).content.decode()
    assert "A co-owner has not consented" in page
    assert "共有人甲" in page
    assert "The patent is pledged already" in page
    assert "<svg" in page


@pytest.mark.parametrize("sort", ["title", "-kind", "filed", "status", "nonsense", "-"])
def test_the_portfolio_can_be_sorted(client, business, sort) -> None:
    for kind in ("invention", "design"):
        make_patent(business, kind=kind)
    answer = client.get(url("patent_list", business.pk), {"sort": sort, "page": "99"})
    assert len(answer.context["rows"]) == 2


def test_the_number_is_checked_while_typing(client, business) -> None:
    def check(text: str) -> str:
        answer = client.post(
            url("number_check"), {"application_number": text}, headers={"Accept-Language": "en"}
        )
        return answer.content.decode()

    digits = "202120938098"
    good = f"{digits}.{patent_check_digit(digits)}"
    assert "Utility model, filed in 2021" in check(f"ZL {good}")
    assert "does not fit" in check(f"{digits}.{'0' if good[-1] != '0' else '1'}")
