"""The sealed chain: every way to falsify the record is found."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from sipo_portal.audit import chain
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent, AuditSeal
from sipo_portal.audit.services import record

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _state(settings: Any, tmp_path: Path) -> None:
    settings.STATE_DIR = tmp_path


@pytest.fixture
def sealed() -> list[AuditEvent]:
    events = [record("x.done", actor=Actor.SYSTEM, obj=None, data={"n": n}) for n in range(6)]
    assert chain.seal() == 6
    return events


def codes() -> set[str]:
    return {finding.code for finding in chain.verify()}


def sql(statement: str, *parameters: Any) -> None:
    """As the owner of the tables, who alone could falsify them; without their foreign key."""
    with connection.cursor() as cursor:
        # Checked now, or the table could not be altered; the test's rollback brings them back.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "SELECT conname FROM pg_constraint"
            " WHERE conrelid = 'audit_auditseal'::regclass AND contype = 'f'"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE audit_auditseal DROP CONSTRAINT "{name}"')
        cursor.execute(statement, parameters)


def test_whole_record(sealed: list[AuditEvent]) -> None:
    assert codes() == set()
    assert chain.seal() == 0
    record("x.done", actor=Actor.SYSTEM, obj=None)
    assert codes() == set()
    assert chain.seal() == 1
    assert codes() == set()
    call_command("verify_audit")


def test_empty_record() -> None:
    assert chain.seal() == 0
    assert codes() == set()


@pytest.mark.parametrize(
    "change",
    [
        "verb = 'x.undone'",
        "data = '{\"n\": 100}'",
        "happened_at = happened_at - interval '1 day'",
        "actor_pseudonym = 'somebody else'",
        "actor_kind = 'owner'",
        "object_id = '7'",
    ],
)
def test_edit(sealed: list[AuditEvent], change: str) -> None:
    sql(f"UPDATE audit_auditevent SET {change} WHERE id = %s", sealed[2].pk)
    assert codes() == {"event_changed"}
    with pytest.raises(CommandError):
        call_command("verify_audit")


def test_delete_in_the_middle(sealed: list[AuditEvent]) -> None:
    sql("DELETE FROM audit_auditevent WHERE id = %s", sealed[2].pk)
    assert codes() == {"event_missing"}
    sql("DELETE FROM audit_auditseal WHERE event_id = %s", sealed[2].pk)
    assert "seal_missing" in codes()


def test_delete_and_renumber(sealed: list[AuditEvent]) -> None:
    sql("DELETE FROM audit_auditseal WHERE event_id = %s", sealed[2].pk)
    sql("DELETE FROM audit_auditevent WHERE id = %s", sealed[2].pk)
    for sequence in (4, 5, 6):
        sql("UPDATE audit_auditseal SET sequence = %s WHERE sequence = %s", sequence - 1, sequence)
    assert {"seal_changed", "tail_missing"} <= codes()


def test_insert(sealed: list[AuditEvent]) -> None:
    sql(
        "INSERT INTO audit_auditevent (uid, happened_at, verb, actor_kind, actor_pseudonym,"
        " object_type, object_id, data, signature) SELECT gen_random_uuid(), happened_at, verb,"
        " actor_kind, actor_pseudonym, object_type, object_id, data, signature"
        " FROM audit_auditevent WHERE id = %s",
        sealed[2].pk,
    )
    assert codes() == {"event_forged"}
    chain.seal()
    assert codes() == {"event_changed"}


def test_swap(sealed: list[AuditEvent]) -> None:
    first, second = sealed[1].pk, sealed[4].pk
    for old, new in ((first, -1), (second, first), (-1, second)):
        sql("UPDATE audit_auditevent SET id = %s WHERE id = %s", new, old)
    assert codes() == {"seal_changed"}


@pytest.mark.parametrize("count", [1, 3, 6])
def test_truncated_tail(sealed: list[AuditEvent], count: int) -> None:
    for event in sealed[-count:]:
        sql("DELETE FROM audit_auditseal WHERE event_id = %s", event.pk)
        sql("DELETE FROM audit_auditevent WHERE id = %s", event.pk)
    assert codes() == {"tail_missing"}
    # The sealer must not sign the shortened record as if it were whole.
    record("x.done", actor=Actor.SYSTEM, obj=None)
    with pytest.raises(chain.ChainBroken, match="tail_missing"):
        chain.seal()
    with pytest.raises(CommandError):
        call_command("seal_audit")


def test_rewritten_chain_does_not_fit_the_head(sealed: list[AuditEvent]) -> None:
    sql("DELETE FROM audit_auditseal WHERE true")
    sql("DELETE FROM audit_auditevent WHERE id = %s", sealed[5].pk)
    head = chain.head_path().read_text()
    chain.head_path().unlink()
    record("x.done", actor=Actor.SYSTEM, obj=None)
    chain.seal()
    assert codes() == set()
    chain.head_path().write_text(head)
    assert codes() == {"head_mismatch"}


@pytest.mark.parametrize(
    "forge",
    [
        lambda head: head.update(sequence=5),
        lambda head: head.update(digest="0" * 64),
        lambda head: head.pop("signature"),
    ],
)
def test_forged_head(sealed: list[AuditEvent], forge: Callable[[dict[str, Any]], None]) -> None:
    head = json.loads(chain.head_path().read_text())
    forge(head)
    chain.head_path().write_text(json.dumps(head))
    assert "head_forged" in codes()


def test_missing_head(sealed: list[AuditEvent]) -> None:
    chain.head_path().unlink()
    assert codes() == {"head_missing"}


def test_crash_between_commit_and_head(sealed: list[AuditEvent]) -> None:
    head = chain.head_path().read_text()
    record("x.done", actor=Actor.SYSTEM, obj=None)
    chain.seal()
    chain.head_path().write_text(head)
    assert codes() == set()
    assert chain.seal() == 0
    assert chain.read_head() == chain.Head(7, AuditSeal.objects.get(sequence=7).digest)


def test_quick_round_seals_the_newest_and_a_whole_one_the_rest(
    sealed: list[AuditEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "LOOK_BACK", 2)
    late = record("x.late", actor=Actor.SYSTEM, obj=None)
    newest = record("x.done", actor=Actor.SYSTEM, obj=None)
    # As if a long transaction had committed its event behind thousands of others.
    sql("UPDATE audit_auditevent SET id = id - 100 WHERE id = %s", late.pk)
    assert chain.seal(whole=False) == 1
    assert AuditSeal.objects.latest("sequence").event_id == newest.pk
    assert chain.seal() == 1
    assert codes() == set()
