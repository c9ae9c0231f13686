"""The two tenants of tests/access, made once for all of them and rolled back at their end."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import pytest
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from tests.access.world import World, build_world


@pytest.fixture(scope="package")
def world(django_db_setup: Any, django_db_blocker: Any) -> Iterator[World]:
    """Tests that ask for it also need `django_db`: their own writes are rolled back one by one."""
    # On a slow machine nobody's session may end halfway through, nor may they have to prove again
    # who they are; nor does each page have to write down that it was seen.
    patience = (
        "sipo_portal.accounts.adapters.REAUTHENTICATE_AFTER_SECONDS",
        "sipo_portal.accounts.middleware.IDLE_SECONDS",
        "sipo_portal.accounts.middleware.SEEN_EVERY_SECONDS",
    )
    with ExitStack() as stack:
        for name in patience:
            stack.enter_context(patch(name, 86_400))
        stack.enter_context(django_db_blocker.unblock())
        stack.enter_context(transaction.atomic())
        # Thousands of refusals are meant to happen; each would be logged with its traceback.
        log = logging.getLogger("django.request")
        level, log.level = log.level, logging.CRITICAL
        yield build_world()
        log.level = level
        transaction.set_rollback(True)


@pytest.fixture
def plain_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages 403 and 404 without their layout: most answers of a sweep, and half of its time.

    What they show is looked at in `test_leaks` and tests/sipo_portal/ui.
    """

    def refuse_with(status: int) -> Any:
        def refuse(request: HttpRequest, exception: Exception) -> HttpResponse:
            return HttpResponse(status=status)

        return refuse

    for status in (403, 404):
        monkeypatch.setattr(f"sipo_portal.urls.handler{status}", refuse_with(status), raising=False)
