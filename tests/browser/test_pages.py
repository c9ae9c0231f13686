"""Every page of every role in the browser: title, language, width, console, accessibility."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.access.world import World
from tests.browser.axe import serious
from tests.browser.looks import sticking_out
from tests.browser.shapes import WHO, Shape, shapes_for
from tests.browser.state_pages import pages_of
from tests.browser.states import PEOPLE, Scene
from tests.plugins.browser import DESKTOP, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LANGUAGES = {"zh-CN": "zh-Hans", "en": "en"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("person", WHO)
def test_every_page(
    open_page: Callable[..., Page], world: World, person: str, language: str
) -> None:
    page = open_page(language=language, client=world.clients[person])
    wrong = [
        f"{shape.name} {shape.url}: {fault}"
        for shape in shapes_for(person, world)
        for fault in faults(page, shape, language)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_of_a_match(
    open_page: Callable[..., Page], scene: Scene, language: str
) -> None:
    wrong = []
    for person in PEOPLE:
        page = open_page(language=language, client=scene.client(person))
        wrong += [
            f"{person}: {shape.name} {shape.url}: {fault}"
            for shape in pages_of(person, scene)
            for fault in faults(page, shape, language)
        ]
        page.context.close()
    assert not wrong, "\n".join(wrong)


def faults(page: Page, shape: Shape, language: str) -> Iterator[str]:
    errors: list[Any] = page.console_errors  # type: ignore[attr-defined]
    errors.clear()
    page.set_viewport_size({"width": DESKTOP, "height": 800})
    answer = page.goto(shape.url)
    assert answer is not None
    if answer.status != 200:
        yield f"status {answer.status}"
        return
    if len(page.title().split("–")[0].strip()) < 2:
        yield f"title {page.title()!r}"
    found = page.locator("html").get_attribute("lang")
    if found != LANGUAGES[language]:
        yield f"language {found}"
    yield from sticking_out(page)
    page.set_viewport_size({"width": PHONE, "height": 800})
    yield from sticking_out(page)
    # The accessibility engine reads stylesheets in a way our policy refuses, and the console says.
    yield from (f"console: {error}" for error in errors)
    if language == "zh-CN":
        page.set_viewport_size({"width": DESKTOP, "height": 800})
    yield from serious(page)
