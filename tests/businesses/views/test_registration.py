"""Registering and changing a business as its owner does it."""

from decimal import Decimal

import pytest
from django.test import override_settings
from django.urls import reverse

from businesses.models import Business
from sipo_portal.audit.models import AuditEvent
from tests.factories.accounts import make_owner
from tests.factories.businesses import credit_code, make_business, make_region

pytestmark = pytest.mark.django_db
REGISTER = reverse("businesses:register")


@pytest.fixture
def owner(client):
    owner = make_owner()
    client.force_login(owner)
    return owner


@pytest.fixture
def typed():
    """What an owner types: every field right."""
    make_region("320505")
    return {
        "credit_code": credit_code(),
        "name": "苏州示范有限公司",
        "established_on": "2016-05-20",
        "province": "320000",
        "region": "320505",
        "industry": "C39",
        "figures_year": "2025",
        "employee_count": "15",
        "revenue_wan": "1,280.5",
        "assets_wan": "３００",
        "has_low_taxable_income": "on",
        "contact_name": "王小明",
        "contact_phone": "0512-5550",
    }


def test_registering_stores_computes_and_audits(client, owner, typed) -> None:
    answer = client.post(REGISTER, typed)
    business = Business.objects.visible_to(owner).get()
    assert answer.url == reverse("businesses:detail", args=[business.pk])
    assert (business.revenue_wan, business.assets_wan) == (Decimal("1280.5"), Decimal(300))
    assert (business.size_class, business.size_indicator) == ("micro", "employees")
    assert business.members.get().is_manager
    event = AuditEvent.objects.get(verb="business.registered")
    assert "王小明" not in str(event.data)
    assert typed["credit_code"] not in str(event.data)
    page = client.get(answer.url, headers={"Accept-Language": "en"}).content.decode()
    assert "Staff decides: 15\u00a0people" in page or "Staff decides: 15 people" in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("credit_code", ""),
        ("credit_code", "91320505MA00000019"),
        ("credit_code", "320505000012345"),
        ("credit_code", "中文"),
        ("name", ""),
        ("name", "长" * 201),
        ("established_on", "yesterday"),
        ("established_on", "2999-01-01"),
        ("province", ""),
        ("province", "999999"),
        ("region", ""),
        ("region", "110101"),
        ("industry", "C99"),
        ("industry_class", "9999"),
        ("industry_class", "G5431"),
        ("figures_year", "25"),
        ("figures_year", ""),
        ("employee_count", "-3"),
        ("employee_count", "1.5"),
        ("revenue_wan", "NaN"),
        ("revenue_wan", "1e309"),
        ("assets_wan", "many"),
        ("contact_phone", "1" * 31),
    ],
)
def test_each_field_wrong_once(client, owner, typed, field, value) -> None:
    answer = client.post(REGISTER, {**typed, field: value}, headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    form = answer.context["form"]
    assert field in form.errors, dict(form.errors)
    assert Business.objects.count() == 0
    page = answer.content.decode()
    assert f'href="#id_{field}"' in page
    title = page.partition("<title>")[2].partition("</title>")[0]
    assert title.strip().startswith("Error:")
    assert "王小明" in page
    assert "1,280.5" in page or field == "revenue_wan"


def test_sent_twice_is_one_business(client, owner, typed) -> None:
    first, second = client.post(REGISTER, typed), client.post(REGISTER, typed)
    assert first.url == second.url
    assert Business.objects.count() == 1


def test_a_code_of_somebody_else_is_refused_without_naming_them(client, owner, typed) -> None:
    other = make_business(credit_code=typed["credit_code"], name="先到有限公司")
    answer = client.post(REGISTER, typed)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert reverse("businesses:claim") in page
    assert other.name not in page
    assert other.members.get().user.email not in page


def test_a_failing_code_is_kept_when_the_owner_insists(client, owner, typed) -> None:
    wrong = typed["credit_code"][:-1] + ("0" if typed["credit_code"][-1] != "0" else "1")
    answer = client.post(REGISTER, {**typed, "credit_code": wrong})
    assert 'name="is_code_exact"' in answer.content.decode()
    client.post(REGISTER, {**typed, "credit_code": wrong, "is_code_exact": "on"})
    assert Business.objects.get().credit_code == wrong


def test_the_box_is_no_way_around_the_form_of_a_code(client, owner, typed) -> None:
    for wrong in ("320505000012345", "91320505MA0000001", "O" * 18):
        client.post(REGISTER, {**typed, "credit_code": wrong, "is_code_exact": "on"})
    assert Business.objects.count() == 0


@pytest.mark.parametrize(("is_demo", "count"), [(True, 1), (False, 0)])
def test_the_demo_division_needs_demo_data(client, owner, typed, is_demo, count) -> None:
    with override_settings(DEMO_DATA=is_demo):
        client.post(REGISTER, {**typed, "credit_code": credit_code("990000")})
    assert Business.objects.count() == count


def test_without_a_script_the_places_come_by_a_button(client, owner, typed) -> None:
    del typed["region"]
    answer = client.post(REGISTER, {**typed, "show_places": "1"})
    page = answer.content.decode()
    assert 'value="320505"' in page
    assert typed["name"] in page
    assert not answer.context["form"].errors
    assert Business.objects.count() == 0


def test_the_places_of_a_province_are_its_own(client, owner, typed) -> None:
    make_region("110101")
    page = client.get(reverse("businesses:places"), {"province": "320000"}).content.decode()
    assert 'value="320505"' in page
    assert 'value="110101"' not in page


@pytest.mark.parametrize(
    ("code", "expected"),
    [(None, "passes its check"), ("91320505MA00000019", "does not fit"), ("", "Enter the code")],
)
def test_the_code_is_checked_while_typing(client, owner, code, expected) -> None:
    answer = client.post(
        reverse("businesses:code_check"),
        {"credit_code": credit_code() if code is None else code},
        headers={"Accept-Language": "en"},
    )
    assert expected in answer.content.decode()


def test_the_size_class_follows_a_change(client, owner, typed) -> None:
    client.post(REGISTER, typed)
    business = Business.objects.get()
    client.post(
        reverse("businesses:edit", args=[business.pk]),
        {**typed, "employee_count": "1000", "revenue_wan": "50,000"},
    )
    business.refresh_from_db()
    assert (business.size_class, business.may_request) == ("large", False) or (
        business.size_class == "medium"
    )
    page = client.get(
        reverse("businesses:detail", args=[business.pk]), headers={"Accept-Language": "en"}
    ).content.decode()
    assert "for micro and small businesses only" in page


def test_verified_identity_stays_whatever_is_posted(client, owner, typed) -> None:
    business = make_business(owner=owner, name="已核实有限公司")
    client.post(reverse("businesses:edit", args=[business.pk]), {**typed, "employee_count": "77"})
    before = business.credit_code
    business.refresh_from_db()
    assert (business.name, business.credit_code) == ("已核实有限公司", before)
    assert business.employee_count == 77


def test_changing_to_a_taken_code_is_a_message(client, owner, typed) -> None:
    business = make_business(owner=owner, status="registered")
    taken = make_business().credit_code
    answer = client.post(
        reverse("businesses:edit", args=[business.pk]), {**typed, "credit_code": taken}
    )
    assert "credit_code" in answer.context["form"].errors


def test_certificates_are_a_tick_list(client, owner) -> None:
    business = make_business(owner=owner)
    page = reverse("businesses:certificates", args=[business.pk])
    client.post(page, {"has_high_tech": "on", "number_high_tech": "GR1", "has_tech_sme": "on"})
    assert {each.kind for each in business.certificates.all()} == {"high_tech", "tech_sme"}
    client.post(page, {"has_high_tech": "on", "until_high_tech": "2027-01-01"})
    assert business.certificates.get().valid_until.year == 2027
    answer = client.post(page, {"number_tech_sme": "1", "until_high_tech": "soon"})
    assert set(answer.context["form"].errors) == {"has_tech_sme", "until_high_tech"}
