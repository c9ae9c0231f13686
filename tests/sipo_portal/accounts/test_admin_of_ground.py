"""The admin pages of accounts, offices, audit and outbox: who enters, and what saving does."""

from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from sipo_portal.accounts.models import Role, User
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.audit.services import record
from sipo_portal.offices.models import BranchOffice
from sipo_portal.outbox.models import OutboxMessage
from sipo_portal.outbox.services import enqueue
from tests.factories.accounts import PASSWORD, make_coordinator, make_user
from tests.factories.offices import make_office, make_region

pytestmark = pytest.mark.django_db

PAGES = {
    "/admin/accounts/user/": Role.SECURITY_ADMIN,
    "/admin/accounts/user/add/": Role.SECURITY_ADMIN,
    "/admin/offices/branchoffice/": Role.SYSTEM_ADMIN,
    "/admin/offices/branchoffice/add/": Role.SYSTEM_ADMIN,
    "/admin/audit/auditevent/": Role.AUDIT_ADMIN,
    "/admin/outbox/outboxmessage/": Role.SYSTEM_ADMIN,
    "/admin/audit/auditevent/add/": None,
    "/admin/outbox/outboxmessage/add/": None,
}


def signed_in(role: str) -> Client:
    client = Client()
    user = make_coordinator(make_office()) if role == Role.COORDINATOR else make_user(role)
    client.force_login(user)
    return client


@pytest.mark.parametrize("role", list(Role))
def test_who_enters(role: str) -> None:
    client = signed_in(role)
    for path, owner in PAGES.items():
        expected = 200 if role == owner else 403
        assert client.get(path).status_code == expected, path
    assert Client().get("/admin/accounts/user/").headers["Location"].startswith("/accounts/login/")


def rows() -> dict[str, Any]:
    with transaction.atomic():
        message = enqueue("x", {})
    return {
        "/admin/accounts/user/": make_user(),
        "/admin/offices/branchoffice/": make_office("320000"),
        "/admin/audit/auditevent/": record("x.done", actor=Actor.SYSTEM, obj=None),
        "/admin/outbox/outboxmessage/": message,
    }


@pytest.mark.parametrize("role", [Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN])
def test_one_row(role: str) -> None:
    client = signed_in(role)
    for path, row in rows().items():
        expected = 200 if role == PAGES[path] else 403
        assert client.get(f"{path}{row.pk}/change/").status_code == expected
        absent = 404 if role == PAGES[path] else 403
        assert client.get(f"{path}999999/change/").status_code == absent
        assert client.post(f"{path}{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_account_is_made_through_the_service() -> None:
    client = signed_in(Role.SECURITY_ADMIN)
    data = {
        "email": "new@example.org",
        "name": "新",
        "role": "coordinator",
        "office": "",
        "language": "",
        "password": PASSWORD,
    }
    refused = client.post("/admin/accounts/user/add/", data)
    assert refused.status_code == 200
    assert "office" in refused.context["adminform"].errors
    assert not User.objects.filter(email="new@example.org").exists()
    office = make_office()
    answer = client.post("/admin/accounts/user/add/", data | {"office": office.pk})
    assert answer.status_code == 302
    user = User.objects.get(email="new@example.org")
    assert (user.office, user.check_password(PASSWORD)) == (office, True)
    assert AuditEvent.objects.filter(verb="account.created", object_id=str(user.pk)).exists()


def test_account_is_changed_and_closed() -> None:
    client, user = signed_in(Role.SECURITY_ADMIN), make_user()
    path = f"/admin/accounts/user/{user.pk}/change/"
    answer = client.post(
        path, {"name": "Other", "role": "owner", "office": "", "email": "stolen@example.org"}
    )
    assert answer.status_code == 302
    before = user.email
    user.refresh_from_db()
    assert (user.name, user.email) == ("Other", before)
    client.post("/admin/accounts/user/", {"action": "close", "_selected_action": [user.pk]})
    user.refresh_from_db()
    assert not user.is_active


def test_office_is_saved_through_the_service() -> None:
    client = signed_in(Role.SYSTEM_ADMIN)
    make_region("320500")
    parent = make_office("320000")
    data = {"name": "苏州", "name_en": "Suzhou", "region": "320500", "is_active": "on"}
    path = "/admin/offices/branchoffice/add/"
    assert client.post(path, data | {"parent": parent.pk}).status_code == 302
    office = BranchOffice.objects.get(name="苏州")
    assert AuditEvent.objects.filter(verb="office.created", object_id=str(office.pk)).exists()
    refused = client.post(path, data | {"name": "x", "parent": office.pk})
    assert "parent" in refused.context["adminform"].errors


def test_parked_message_is_sent_again() -> None:
    client = signed_in(Role.SYSTEM_ADMIN)
    with transaction.atomic():
        message = enqueue("x", {})
    OutboxMessage.objects.update(parked_at=timezone.now(), attempt_count=3)
    path = "/admin/outbox/outboxmessage/"
    assert client.get(f"{path}?state=parked").context["cl"].result_count == 1
    client.post(path, {"action": "send_parked_again", "_selected_action": [message.pk]})
    message.refresh_from_db()
    assert (message.parked_at, message.attempt_count) == (None, 0)
