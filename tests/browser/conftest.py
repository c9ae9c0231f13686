"""The two tenants of tests/access, stored, for pages that a real server shows; watched walkers."""

from collections.abc import Callable

import pytest
from django.db import transaction
from playwright.sync_api import Page

from tests.access.world import World, build_world
from tests.browser.looks import Watch
from tests.browser.states import Scene, build_scene


@pytest.fixture
def world(transactional_db: None) -> World:
    with transaction.atomic():
        return build_world()


@pytest.fixture
def scene(transactional_db: None) -> Scene:
    return build_scene()


@pytest.fixture
def open_walk(open_page: Callable[..., Page]) -> Callable[..., Page]:
    """As `open_page`, for somebody who walks by `steps.py`: every page on the way is looked at.

    `page.watch` has what was wrong.
    """

    def open_(*, width: int, language: str, scripts: bool) -> Page:
        page = open_page(width=width, language=language, scripts=scripts)
        twin = None if scripts else open_page("about:blank", width=width, language=language)
        page.watch = Watch(page, twin)  # type: ignore[attr-defined]
        return page

    return open_
