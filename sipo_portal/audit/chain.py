"""Chaining committed events and checking the chain; called by `seal_audit` and `verify_audit`."""

import hmac
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from sipo_portal.audit.models import AuditEvent, AuditSeal
from sipo_portal.audit.signing import GENESIS, digest_of, head_signature, signature_of

# One sealer at a time, whoever starts it; any number that nothing else locks.
SEALER_LOCK = 0x0A0D17
BATCH = 1000
# Row ids are given before commit, so an event may appear behind others already sealed. A quick
# round looks back this far; a whole one, run now and then, finds whatever took longer.
LOOK_BACK = 5000


class ChainBroken(Exception):
    """The stored chain and its signed head disagree; sealing on would hide what happened."""


@dataclass(frozen=True)
class Head:
    """The last seal, kept outside the database."""

    sequence: int
    digest: str


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `code`: event_changed, event_forged, seal_changed, seal_missing,
    event_missing, tail_missing, head_missing, head_forged, head_mismatch."""

    code: str
    sequence: int | None = None
    event: int | None = None


def head_path() -> Path:
    return Path(settings.STATE_DIR) / "audit-head.json"


def read_head() -> Head | None:
    """The signed head, None without a file; raises ChainBroken when its signature is wrong."""
    try:
        stored = json.loads(head_path().read_text())
        head = Head(int(stored["sequence"]), str(stored["digest"]))
        signature = str(stored["signature"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ChainBroken("head_forged") from error
    if not hmac.compare_digest(signature, head_signature(head.sequence, head.digest)):
        raise ChainBroken("head_forged")
    return head


def write_head(head: Head) -> None:
    """Replace the file in one step, so a crash leaves the old or the new one."""
    path = head_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    content = {
        "sequence": head.sequence,
        "digest": head.digest,
        "signature": head_signature(head.sequence, head.digest),
    }
    with fresh.open("w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def seal(*, whole: bool = True) -> int:
    """Chain the events committed since the last time, oldest first; returns how many.

    Not `whole`: only events among the newest, which is all there are unless a transaction stayed
    open while thousands of others wrote; its cost does not grow with the record.

    Nothing happens while another sealer works. Raises ChainBroken when the chain in the database
    does not contain the signed head: sealing on would put a fresh signature on a falsified chain.
    """
    total = 0
    while True:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEALER_LOCK])
                if not cursor.fetchone()[0]:
                    return total
            before = _last_sealed()
            sealed = _seal_batch(before, whole)
        if sealed is None:
            if before is not None and before != read_head():
                # The last run ended between its commit and the file.
                write_head(before)
            return total
        write_head(sealed)
        total += sealed.sequence - (before.sequence if before else 0)


def verify() -> Iterator[Finding]:
    """Everything wrong with events, seals and head; nothing when the record is whole.

    Finds an event changed, removed, added by hand or exchanged with another, a seal changed or
    removed, and a tail cut off together with its seals (by the head outside the database). An
    event removed before it was sealed, within about a second of its writing, is not found.
    """
    yield from _verify_seals()
    for event in _unsealed().order_by("pk").iterator(BATCH):
        if not hmac.compare_digest(event.signature, signature_of(event)):
            yield Finding("event_forged", event=event.pk)


def _verify_seals() -> Iterator[Finding]:
    try:
        head = read_head()
    except ChainBroken:
        yield Finding("head_forged")
        head = None
    else:
        if head is None and AuditSeal.objects.exists():
            yield Finding("head_missing")
    previous, expected = GENESIS, 1
    for seal_row, event in _seals_with_events():
        for missing in range(expected, min(seal_row.sequence, expected + 100)):
            yield Finding("seal_missing", sequence=missing)
        if event is None:
            yield Finding("event_missing", seal_row.sequence, seal_row.event_id)
        elif not hmac.compare_digest(event.signature, signature_of(event)):
            yield Finding("event_changed", seal_row.sequence, event.pk)
        elif seal_row.digest != digest_of(previous, seal_row.sequence, event):
            yield Finding("seal_changed", seal_row.sequence, event.pk)
        if head and seal_row.sequence == head.sequence and seal_row.digest != head.digest:
            yield Finding("head_mismatch", seal_row.sequence, seal_row.event_id)
        previous, expected = seal_row.digest, seal_row.sequence + 1
    if head is not None and expected <= head.sequence:
        yield Finding("tail_missing", sequence=expected)


def _seals_with_events() -> Iterator[tuple[AuditSeal, AuditEvent | None]]:
    # A foreign key keeps events of seals, but whoever falsifies the table may have dropped it:
    # seals are read alone and joined by hand.
    last = 0
    while rows := list(AuditSeal.objects.filter(sequence__gt=last).order_by("sequence")[:BATCH]):
        events = AuditEvent.objects.in_bulk([row.event_id for row in rows])
        for row in rows:
            yield row, events.get(row.event_id)
        last = rows[-1].sequence


def _last_sealed() -> Head | None:
    """The last seal in the database, checked against the signed head."""
    head = read_head()
    last = AuditSeal.objects.order_by("-sequence").first()
    if head is not None:
        at_head = AuditSeal.objects.filter(sequence=head.sequence).first()
        if at_head is None or at_head.digest != head.digest:
            raise ChainBroken("tail_missing" if at_head is None else "head_mismatch")
    return None if last is None else Head(last.sequence, last.digest)


def _unsealed() -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(~Exists(AuditSeal.objects.filter(event=OuterRef("pk"))))


def _seal_batch(before: Head | None, whole: bool) -> Head | None:
    unsealed = _unsealed()
    if not whole:
        newest = AuditSeal.objects.aggregate(pk=Max("event_id"))["pk"] or 0
        unsealed = unsealed.filter(pk__gt=newest - LOOK_BACK)
    head = before or Head(0, GENESIS)
    seals = []
    for event in unsealed.order_by("pk")[:BATCH]:
        sequence = head.sequence + 1
        head = Head(sequence, digest_of(head.digest, sequence, event))
        seals.append(AuditSeal(sequence=sequence, event=event, digest=head.digest))
    AuditSeal.objects.bulk_create(seals)
    return head if seals else None
