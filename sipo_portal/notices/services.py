"""Telling people something once: a row per person and event, and a mail through the outbox.

The apps' `notifications.py` call `notify` in the transaction of the act; views mark as read.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from sipo_portal.notices.models import Notice
from sipo_portal.outbox.services import enqueue

MAIL_TASK = "notices.send_mail"


def notify(
    *,
    recipients: Iterable[Any],
    kind: str,
    payload: Mapping[str, Any],
    path: str = "",
    event_key: str,
) -> list[Notice]:
    """Tell each of `recipients` (accounts) once about the event `event_key`; the new notices.

    `kind` names the templates `emails/<kind>_subject.txt` and `emails/<kind>.txt`, which put
    `payload` (JSON values, frozen here; see `texts.words`) into words when it is read. `path` is
    the portal's page it leads to. Told again, or by two at once, there is one notice and one mail.
    Accounts that are closed are left out. Raises TransactionManagementError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("notify() must be called inside a transaction.")
    wanted = {user.pk for user in recipients if user.is_active}
    told = Notice.objects.filter(event_key=event_key, recipient_id__in=wanted)
    missing = wanted - set(told.values_list("recipient_id", flat=True))
    if not missing:
        return []
    # Another transaction may tell the same people now: the constraint decides, whoever is second
    # writes nothing, and the mail goes by the row, which is mailed once.
    Notice.objects.bulk_create(
        [
            Notice(
                recipient_id=pk,
                kind=str(kind),
                payload=dict(payload),
                path=path,
                event_key=event_key,
            )
            for pk in sorted(missing)
        ],
        ignore_conflicts=True,
    )
    created = list(Notice.objects.filter(event_key=event_key, recipient_id__in=missing))
    for notice in created:
        enqueue(MAIL_TASK, {"notice_id": notice.pk})
    return created


def mark_read(*, recipient: Any, notice_ids: Iterable[int] | None = None) -> int:
    """Note that `recipient` has read these of their own notices, or all; how many were unread."""
    unread = Notice.objects.visible_to(recipient).unread()
    if notice_ids is not None:
        unread = unread.filter(pk__in=list(notice_ids))
    return unread.update(read_at=timezone.now())
