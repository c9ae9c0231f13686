"""Writing audit events; services of every app call `record` in the transaction of the act."""

from collections.abc import Mapping
from typing import Any

from django.db import models

from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.audit.signing import plain, signature_of


def record(
    verb: str,
    *,
    actor: Actor,
    obj: models.Model | None,
    data: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Write that `actor` did `verb` to `obj`, committed or rolled back together with the act.

    `data` holds field names, codes and non-personal values before and after; never names, e-mail
    addresses, telephone numbers or free text of people. Floats are stored as text. `obj` is None
    for acts on the portal as a whole (a failed sign-in).
    """
    event = event_of(verb, actor=actor, obj=obj, data=data)
    event.save(force_insert=True)
    return event


def event_of(
    verb: str,
    *,
    actor: Actor,
    obj: models.Model | None,
    data: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """The signed event, not yet written; bulk writers collect these for `record_all`."""
    event = AuditEvent(
        verb=str(verb),
        actor_kind=actor.kind,
        actor_pseudonym=actor.pseudonym,
        object_type=obj._meta.label_lower if obj is not None else "",
        object_id=str(obj.pk) if obj is not None else "",
        data=plain(data or {}),
    )
    event.signature = signature_of(event)
    return event


def record_all(events: list[AuditEvent]) -> None:
    """Write many events made by `event_of` at once (imports, match runs)."""
    AuditEvent.objects.bulk_create(events, batch_size=1000)
