"""Every page of every role in the browser: title, language, width, console, accessibility."""

from collections.abc import Callable, Iterable, Iterator
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
def test_every_page(open_page: Callable[..., Page], world: World, language: str) -> None:
    """One world for everybody: making it takes longer than to look at all pages of some."""
    wrong = []
    for person in WHO:
        page = open_page(language=language, client=world.clients[person])
        wrong += look_at(page, person, shapes_for(person, world), language)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_of_a_match(
    open_page: Callable[..., Page], scene: Scene, language: str
) -> None:
    wrong = []
    for person in PEOPLE:
        page = open_page(language=language, client=scene.client(person))
        wrong += look_at(page, person, pages_of(person, scene), language)
    assert not wrong, "\n".join(wrong)


def look_at(page: Page, person: str, shapes: Iterable[Shape], language: str) -> list[str]:
    """What is wrong with these pages; the page is closed at the end."""
    if language == "en":
        resize(page)
    wrong = [
        f"{person}: {shape.name} {shape.url}: {fault}"
        for shape in shapes
        for fault in faults(page, shape, language)
    ]
    page.context.close()
    return wrong


def faults(page: Page, shape: Shape, language: str) -> Iterator[str]:
    errors: list[Any] = page.console_errors  # type: ignore[attr-defined]
    errors.clear()
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
    resize(page)
    yield from sticking_out(page)
    # The accessibility engine reads stylesheets in a way our policy refuses, and the console says.
    yield from (f"console: {error}" for error in errors)
    yield from serious(page)


def resize(page: Page) -> None:
    """From desktop to phone or back; the next page is then loaded at that width.

    Resizing is dear. The two languages begin with different widths, so that of every page the
    accessibility is tested at both.
    """
    assert page.viewport_size
    other = PHONE if page.viewport_size["width"] == DESKTOP else DESKTOP
    page.set_viewport_size({"width": other, "height": 800})
