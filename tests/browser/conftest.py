"""The two tenants of tests/access, stored, for pages that a real server shows."""

import pytest
from django.db import transaction

from tests.access.world import World, build_world


@pytest.fixture
def world(transactional_db: None) -> World:
    with transaction.atomic():
        return build_world()
