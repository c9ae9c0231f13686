"""A coordinator verifies, suspends and reinstates businesses of the region."""

import pytest
from django.urls import reverse

from businesses.models import BusinessMember
from sipo_portal.audit.models import AuditEvent
from tests.factories.accounts import make_coordinator
from tests.factories.businesses import credit_code, make_business, make_office

pytestmark = pytest.mark.django_db


def url(name: str, *args: int) -> str:
    return reverse(f"businesses:{name}", args=args)


@pytest.fixture
def coordinator(client):
    coordinator = make_coordinator(make_office("320000"))
    client.force_login(coordinator)
    return coordinator


@pytest.fixture
def business():
    return make_business(status="registered")


def status(business) -> str:
    business.refresh_from_db()
    return business.status


def test_verify_suspend_reinstate(client, coordinator, business) -> None:
    client.post(url("business_verify", business.pk))
    assert status(business) == "verified"
    answer = client.post(url("business_suspend", business.pk), {"reason": " "})
    assert "reason" in answer.context["form"].errors
    client.post(url("business_suspend", business.pk), {"reason": "Licence revoked."})
    assert status(business) == "suspended"
    assert "Licence revoked." not in str(list(AuditEvent.objects.values_list("data", flat=True)))
    owner = business.members.get().user
    client.force_login(owner)
    assert "Licence revoked." in client.get(url("detail", business.pk)).content.decode()
    client.force_login(coordinator)
    client.post(url("business_reinstate", business.pk))
    assert (status(business), business.suspension_reason) == ("registered", "")


def test_a_step_out_of_turn_is_a_message(client, coordinator, business) -> None:
    for _again in range(2):
        answer = client.post(url("business_verify", business.pk), follow=True)
        assert answer.status_code == 200
    client.post(url("business_reinstate", business.pk))
    assert status(business) == "verified"
    assert AuditEvent.objects.filter(verb="business.verify").count() == 1


def test_a_failing_code_needs_an_accepted_exception(client, coordinator, business) -> None:
    good = credit_code()
    business.credit_code = good[:-1] + ("0" if good[-1] != "0" else "1")
    business.save()
    client.post(url("business_verify", business.pk))
    assert status(business) == "registered"
    answer = client.post(url("code_accept", business.pk), {"reason": ""})
    assert "reason" in answer.context["form"].errors
    client.post(url("code_accept", business.pk), {"reason": "Seen on paper."})
    assert AuditEvent.objects.get(verb="business.code_exception_accepted").data == {
        "fault": "check_digit"
    }
    client.post(url("business_verify", business.pk))
    assert status(business) == "verified"


def test_a_good_code_needs_no_exception(client, coordinator, business) -> None:
    answer = client.post(url("code_accept", business.pk), {"reason": "Seen on paper."})
    assert answer.context["form"].errors


def test_nobody_decides_about_an_own_business(client, coordinator, business) -> None:
    BusinessMember.objects.create(business=business, user=coordinator, is_active=False)
    client.post(url("business_verify", business.pk))
    client.post(url("business_suspend", business.pk), {"reason": "Because."})
    assert status(business) == "registered"


def test_the_list_shows_each_state(client, coordinator, business) -> None:
    make_business(name="已核实有限公司")
    assert business.name in client.get(url("verification_list")).content.decode()
    page = client.get(url("verification_list"), {"show": "verified"}).content.decode()
    assert "已核实有限公司" in page
    assert business.name not in page
    page = client.get(url("verification_list"), {"show": "suspended"})
    assert page.status_code == 200
