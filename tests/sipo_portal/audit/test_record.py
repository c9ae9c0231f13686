"""Writing events: with the act or not at all, and only by who may."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import ProgrammingError, connection, transaction

from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.audit.services import event_of, record, record_all
from sipo_portal.audit.signing import signature_of
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db


def test_holds_pseudonym_not_person() -> None:
    user = make_user(Role.OWNER)
    event = record("x.done", actor=Actor.of(user), obj=user, data={"n": 1})
    event.refresh_from_db()
    assert (event.actor_kind, event.actor_pseudonym) == ("owner", str(user.pseudonym))
    assert (event.object_type, event.object_id) == ("accounts.user", str(user.pk))
    assert event.data == {"n": 1}


def test_goes_with_the_transaction() -> None:
    with transaction.atomic():
        record("x.done", actor=Actor.SYSTEM, obj=None)
        transaction.set_rollback(True)
    assert not AuditEvent.objects.exists()


def test_signature_survives_the_database() -> None:
    data = {
        "amount": Decimal("1234567.89"),
        "rate": 0.1 + 0.2,
        "huge": 1e300,
        "at": datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
        "id": uuid4(),
        "名": ["小微", None, True, {"b": 1, "a": 2.5}],
    }
    event = record("x.done", actor=Actor.CLOCK, obj=None, data=data)
    stored = AuditEvent.objects.get(pk=event.pk)
    assert signature_of(stored) == stored.signature
    assert stored.data["amount"] == "1234567.89"


def test_many_at_once() -> None:
    events = [event_of("x.done", actor=Actor.MATCHER, obj=None, data={"n": n}) for n in range(3)]
    record_all(events)
    assert [each.data["n"] for each in AuditEvent.objects.order_by("pk")] == [0, 1, 2]


def test_an_anonymous_visitor_is_no_actor() -> None:
    class Nobody:
        role = ""

    with pytest.raises(ValueError, match="anonymous"):
        Actor.of(Nobody())


def test_only_the_audit_administrator_sees_events() -> None:
    record("x.done", actor=Actor.SYSTEM, obj=None)
    for role in set(Role) - {Role.AUDIT_ADMIN, Role.COORDINATOR}:
        assert not AuditEvent.objects.visible_to(make_user(role)).exists()
    assert AuditEvent.objects.visible_to(make_user(Role.AUDIT_ADMIN)).count() == 1
    assert not AuditEvent.objects.visible_to(None).exists()


@pytest.mark.parametrize("table", ["audit_auditevent", "audit_auditseal"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {0} SET id = id", "DELETE FROM {0}", "TRUNCATE {0}", "DROP TABLE {0}"],
)
def test_the_application_role_is_refused(table: str, statement: str) -> None:
    role = settings.DATABASE_APP_ROLE
    assert role, "DATABASE_APP_ROLE must be set for the tests"
    if table == "audit_auditseal":
        statement = statement.replace("id = id", "sequence = sequence")
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {role}")
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
            cursor.execute(statement.format(table))


def test_the_application_role_can_do_its_work() -> None:
    user = make_user(Role.OWNER)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {settings.DATABASE_APP_ROLE}")
    record("x.done", actor=Actor.of(user), obj=user)
    user.name = "Other"
    user.save()
    assert AuditEvent.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
