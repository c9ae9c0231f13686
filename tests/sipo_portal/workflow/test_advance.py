"""`advance` on real rows: lock, state, audit; two at once have one winner."""

import threading
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.workflow.advance import advance
from sipo_portal.workflow.lifecycle import Refusal, TransitionRefused
from tests.sipo_portal.workflow.thing import LIFE, Thing

pytestmark = pytest.mark.django_db(transaction=True)
OWNER, COORDINATOR = Actor("owner", "o" * 36), Actor("coordinator", "c" * 36)


@pytest.fixture(autouse=True)
def _table(transactional_db: None) -> Iterator[None]:
    with connection.schema_editor() as editor:
        editor.create_model(Thing)
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(Thing)


def test_changes_state_and_audits() -> None:
    thing = Thing.objects.create()
    thing.name = "not to be saved"
    with transaction.atomic():
        row = advance(LIFE, thing, "submit", actor=OWNER, data={"reason": "ready"})
    assert row.target == thing.status == "open"
    stored = Thing.objects.get()
    assert (stored.status, stored.name) == ("open", "a")
    assert stored.status_changed_at == thing.status_changed_at is not None
    event = AuditEvent.objects.get()
    assert (event.verb, event.actor_kind, event.actor_pseudonym) == (
        "thing.submit",
        "owner",
        "o" * 36,
    )
    assert event.object_id == str(thing.pk)
    assert event.data == {"from": "draft", "to": "open", "reason": "ready"}


def test_refusal_changes_nothing() -> None:
    thing = Thing.objects.create()
    with pytest.raises(TransitionRefused) as refused, transaction.atomic():
        advance(LIFE, thing, "submit", actor=COORDINATOR)
    assert refused.value.code == Refusal.WRONG_ROLE
    stored = Thing.objects.get()
    assert (stored.status, stored.status_changed_at) == ("draft", None)
    assert not AuditEvent.objects.exists()


def test_decides_by_the_stored_state_not_the_loaded_one() -> None:
    thing = Thing.objects.create()
    Thing.objects.update(status="open")
    with pytest.raises(TransitionRefused), transaction.atomic():
        advance(LIFE, thing, "submit", actor=OWNER)
    assert thing.status == "open"


def test_needs_a_transaction() -> None:
    thing = Thing.objects.create()
    with pytest.raises(TransactionManagementError):
        advance(LIFE, thing, "submit", actor=OWNER)


def test_vanished_row() -> None:
    thing = Thing.objects.create()
    Thing.objects.all().delete()
    with pytest.raises(Thing.DoesNotExist), transaction.atomic():
        advance(LIFE, thing, "submit", actor=OWNER)


def test_two_at_once_have_one_winner() -> None:
    thing = Thing.objects.create(status="open")
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def act(action: str, actor: Actor) -> None:
        mine = Thing.objects.get(pk=thing.pk)
        start.wait()
        try:
            with transaction.atomic():
                advance(LIFE, mine, action, actor=actor)
                # Keeps the lock long enough for the other to have to wait.
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(0.2)")
            outcomes.append(action)
        except TransitionRefused as refused:
            outcomes.append(refused.code.value)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=act, args=pair)
        for pair in (("close", COORDINATOR), ("drop", OWNER))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "wrong_state" in outcomes
    winner = next(each for each in outcomes if each != "wrong_state")
    assert Thing.objects.get().status == {"close": "closed", "drop": "dropped"}[winner]
    assert AuditEvent.objects.count() == 1
