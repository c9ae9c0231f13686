"""Working off the outbox inside a test, without broker and worker."""

from collections.abc import Callable

import pytest
from celery import current_app
from django.utils import timezone

from sipo_portal.outbox.models import OutboxMessage


@pytest.fixture
def run_outbox() -> Callable[[], int]:
    """`run_outbox()` runs every message that is due, and those they cause; returns how many.

    An error of a task fails the test: nothing is tried again.
    """

    def run() -> int:
        count = 0
        current_app.loader.import_default_modules()
        while due := list(
            OutboxMessage.objects.waiting().filter(available_at__lte=timezone.now()).order_by("pk")
        ):
            for message in due:
                current_app.tasks[message.task](message.pk)
                message.refresh_from_db()
                assert message.done_at, f"{message.task} failed: {message.last_error}"
                count += 1
        return count

    return run
