"""Declaring tasks reached through the outbox; every app's `tasks.py` uses `outbox_task`."""

from collections.abc import Callable
from typing import Any

from celery import shared_task
from django.utils.functional import Promise

from sipo_portal.outbox.delivery import deliver
from sipo_portal.outbox.labels import LABELS


def outbox_task(
    name: str, *, label: str | Promise = "", atomic: bool = True
) -> Callable[[Callable[..., Any]], Any]:
    """Make the decorated function the work of outbox messages called `name`.

    The function takes the message's payload as keyword arguments; the Celery task takes the
    message's id. With `atomic` (the default) function and completion commit in one transaction.
    Give `atomic=False` to work that shows its progress while it runs; it must be safe to repeat.
    The function itself stays reachable as `.work`. `label`: what the admin calls the work.
    """
    LABELS[name] = label or name

    def declare(work: Callable[..., Any]) -> Any:
        @shared_task(name=name)  # type: ignore[untyped-decorator]
        def task(message_id: int) -> None:
            deliver(message_id, work, atomic=atomic)

        task.work = work
        return task

    return declare
