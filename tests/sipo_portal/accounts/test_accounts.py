"""Accounts: what the database refuses, what the services do, who sees whom."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from sipo_portal.accounts import services
from sipo_portal.accounts.models import Role, User
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from tests.factories.accounts import PASSWORD, make_coordinator, make_user
from tests.factories.offices import make_office

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "Person@example.org"},
        {"role": "superuser"},
        {"role": Role.COORDINATOR},
    ],
)
def test_the_database_refuses(fields: dict[str, Any]) -> None:
    user = make_user()
    with pytest.raises(IntegrityError):
        User.objects.filter(pk=user.pk).update(**fields)


def test_the_database_refuses_an_office_for_others() -> None:
    user, office = make_user(), make_office()
    with pytest.raises(IntegrityError):
        User.objects.filter(pk=user.pk).update(office=office)


def test_create_account() -> None:
    office = make_office("320500")
    security = Actor.of(make_user(Role.SECURITY_ADMIN))
    user = services.create_account(
        security,
        email=" Wang@Example.org",
        name="王",
        role=Role.COORDINATOR,
        office=office,
        password=PASSWORD,
    )
    assert user.email == "wang@example.org"
    assert user.scope_prefix == "3205"
    assert user.check_password(PASSWORD)
    assert user.emailaddress_set.get().verified
    event = AuditEvent.objects.get()
    assert (event.verb, event.object_id) == ("account.created", str(user.pk))
    assert event.data == {
        "pseudonym": str(user.pseudonym),
        "role": "coordinator",
        "office": office.pk,
    }


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"email": "taken@example.org"}, "email"),
        ({"email": "TAKEN@example.org"}, "email"),
        ({"email": "nonsense"}, "email"),
        ({"role": "boss"}, "role"),
        ({"role": "coordinator"}, "office"),
        ({"password": "short"}, "password"),
        ({"password": "1234567890"}, "password"),
        ({"name": ""}, "name"),
    ],
)
def test_create_account_refuses(fields: dict[str, Any], field: str) -> None:
    make_user(email="taken@example.org")
    good = {"email": "a@example.org", "name": "A", "role": "owner", "password": PASSWORD}
    with pytest.raises(ValidationError) as refused:
        services.create_account(Actor.SYSTEM, **good | fields)
    assert list(refused.value.message_dict) == [field]
    assert User.objects.count() == 1


def test_close_and_open() -> None:
    admin, user = make_user(Role.SECURITY_ADMIN), make_user()
    actor = Actor.of(admin)
    services.deactivate_account(actor, user=user)
    services.deactivate_account(actor, user=user)
    assert not User.objects.get(pk=user.pk).is_active
    services.reactivate_account(actor, user=user)
    assert User.objects.get(pk=user.pk).is_active
    assert list(AuditEvent.objects.order_by("pk").values_list("verb", flat=True)) == [
        "account.deactivated",
        "account.reactivated",
    ]
    with pytest.raises(ValidationError):
        services.deactivate_account(actor, user=admin)


def test_change_account() -> None:
    admin, user = make_user(Role.SECURITY_ADMIN), make_user()
    office = make_office()
    services.change_account(
        Actor.of(admin), user=user, name="New", role=Role.COORDINATOR, office=office
    )
    user.refresh_from_db()
    assert (user.name, user.role, user.office) == ("New", "coordinator", office)
    data = AuditEvent.objects.get().data
    assert data["before"]["role"] == "owner"
    assert "New" not in str(data)
    with pytest.raises(ValidationError):
        services.change_account(Actor.of(admin), user=admin, role=Role.OWNER)


def test_reset_second_factor() -> None:
    user = make_user(Role.INSTITUTION_STAFF)
    assert services.reset_second_factor(Actor.SYSTEM, user=user) == 1
    assert not Authenticator.objects.filter(user=user).exists()


def test_who_sees_whom() -> None:
    office = make_office()
    people = [
        make_coordinator(office) if role == Role.COORDINATOR else make_user(role) for role in Role
    ]
    for person in people:
        seen = set(User.objects.visible_to(person))
        assert seen == (set(people) if person.role == Role.SECURITY_ADMIN else {person})
    assert not User.objects.visible_to(None).exists()


def test_who_enters_the_admin() -> None:
    staff = {role for role in Role if User(role=role).is_staff}
    assert staff == set(Role) - {Role.OWNER, Role.COORDINATOR}
    assert {role for role in Role if User(role=role).needs_second_factor} == set(Role) - {
        Role.OWNER
    }
