"""What is wrong with the page a browser shows: console, width, accessibility; walks and sweeps."""

import re
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page, Route

from tests.browser.axe import serious

WIDTH = "document.scrollingElement.scrollWidth"
# What sticks out furthest, to find the culprit at once.
WIDEST = """there => [...document.querySelectorAll('main *, header *, footer *')]
    .filter(each => each.getBoundingClientRect().right > there + 1)
    .slice(0, 3).map(each => each.tagName + '.' + each.className).join(' ')"""
# Two visits of a page that has the same parts are one look.
PARTS = """() => [...document.querySelectorAll(
    'main h1, main h2, main h3, main form, .error-summary a, [role=status], .alert, table caption'
)].map(each => each.tagName === 'FORM' ? each.action : each.textContent.trim()).join('|')"""


def sticking_out(page: Page) -> Iterator[str]:
    """Something makes the page scroll sideways.

    Measured against the screen: on a phone `innerWidth` grows with a page that is too wide.
    """
    assert page.viewport_size
    needed, there = page.evaluate(WIDTH), page.viewport_size["width"]
    if needed > there:
        yield f"{needed} px wide at {there}: {page.evaluate(WIDEST, there)}"


class Watch:
    """Looks at every page one person passes through; `faults` has what was wrong, with the page.

    `twin`: a page of another context, with scripts, where there are none in `page`: the
    accessibility engine needs them.
    """

    def __init__(self, page: Page, twin: Page | None = None) -> None:
        self.page, self.twin = page, twin
        self.faults: list[str] = []
        self.seen: set[str] = set()
        self.errors: list[Any] = page.console_errors  # type: ignore[attr-defined]

    def look(self) -> None:
        """To be called on every arrival. A page already seen in this state is not looked at."""
        place = re.sub(r"^https?://[^/]+", "", self.page.url)
        self.faults += [f"{place}: console: {error}" for error in self.errors]
        self.errors.clear()
        state = place + self.page.evaluate(PARTS)
        if state in self.seen:
            return
        self.seen.add(state)
        self.faults += [f"{place}: {fault}" for fault in self._faults()]
        # The accessibility engine reads stylesheets in a way our policy refuses: not our errors.
        self.errors.clear()

    def _faults(self) -> Iterator[str]:
        if len(self.page.title().split("–")[0].strip()) < 2:
            yield f"title {self.page.title()!r}"
        yield from sticking_out(self.page)
        if self.twin is None:
            yield from serious(self.page)
            return
        yield from self._faults_of_twin(self.twin)

    def _faults_of_twin(self, twin: Page) -> Iterator[str]:
        """The same page where the engine can run; our own scripts are left out there."""
        here = self.page.content()

        def answer(route: Route) -> None:
            if route.request.is_navigation_request():
                route.fulfill(body=here, content_type="text/html; charset=utf-8")
            elif route.request.resource_type == "script":
                route.fulfill(body="", content_type="text/javascript")
            else:
                route.continue_()

        twin.route("**/*", answer)
        twin.goto(self.page.url)
        yield from serious(twin)
        twin.unroute("**/*", answer)


def all_faults(pages: list[Page]) -> str:
    """Everything the watches of these pages found; empty for good."""
    found = [fault for page in pages for fault in page.watch.faults]  # type: ignore[attr-defined]
    return "\n".join(dict.fromkeys(found))
