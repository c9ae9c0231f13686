"""The one way a row changes its state; services call `advance` inside their transaction."""

from collections.abc import Mapping
from typing import Any

from django.db import models, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.workflow.lifecycle import Lifecycle, Transition


def advance(
    lifecycle: Lifecycle,
    obj: models.Model,
    action: str,
    *,
    actor: Actor,
    data: Mapping[str, Any] | None = None,
) -> Transition:
    """Do `action` on `obj`: lock its row, check the table, set the state, audit.

    `obj` needs the fields `status` and `status_changed_at`; both are refreshed from the locked row
    first, so two callers at once are decided one after the other and the later one meets the state
    the earlier one left. Other fields of `obj` are neither read nor saved. Audited as
    `<lifecycle>.<action>` with the states before and after, plus `data` (no personal values).

    Raises TransitionRefused (nothing changed), the model's DoesNotExist when the row is gone, and
    TransactionManagementError outside a transaction, where the lock would end at once.
    """
    if not transaction.get_connection(obj._state.db).in_atomic_block:
        raise TransactionManagementError("advance() must be called inside a transaction.")
    model = type(obj)
    # NO KEY: rows that only refer to this one may still be written meanwhile.
    rows = model._base_manager.select_for_update(of=("self",), no_key=True)
    locked = rows.only("pk", "status").get(pk=obj.pk)
    before: str = str(locked.status)  # type: ignore[attr-defined]
    obj.status = before  # type: ignore[attr-defined]
    row = lifecycle.find(before, str(action), actor.kind)
    obj.status = row.target  # type: ignore[attr-defined]
    obj.status_changed_at = timezone.now()  # type: ignore[attr-defined]
    obj.save(update_fields=["status", "status_changed_at"])
    record(
        f"{lifecycle.name}.{row.action}",
        actor=actor,
        obj=obj,
        data={"from": before, "to": row.target, **(data or {})},
    )
    return row
