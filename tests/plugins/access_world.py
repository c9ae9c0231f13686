"""The two tenants of tests/access, made once per module and rolled back after it."""

import logging
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from django.db import transaction

from tests.access.world import World, build_world


@pytest.fixture(scope="module")
def world(django_db_setup: Any, django_db_blocker: Any) -> Iterator[World]:
    """Tests that ask for it also need `django_db`: their own writes are rolled back one by one."""
    # A slow machine must not make people prove again who they are halfway through.
    patient = patch("sipo_portal.accounts.adapters.REAUTHENTICATE_AFTER_SECONDS", 86_400)
    with patient, django_db_blocker.unblock(), transaction.atomic():
        # Thousands of refusals are meant to happen; each would be logged with its traceback.
        log = logging.getLogger("django.request")
        level, log.level = log.level, logging.CRITICAL
        yield build_world()
        log.level = level
        transaction.set_rollback(True)
