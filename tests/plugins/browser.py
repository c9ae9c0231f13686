"""Real pages in Debian's Chromium: a live server, contexts by width, language and scripting."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = next(
    (
        path
        for path in (
            os.environ.get("CHROMIUM", ""),
            # Without a window it needs half of the time for a page.
            shutil.which("chromium-headless-shell") or "",
            "/usr/bin/chromium",
            shutil.which("chromium") or "",
            shutil.which("google-chrome") or "",
        )
        if path and os.access(path, os.X_OK)
    ),
    None,
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
PHONE, DESKTOP = 360, 1280


def _wants_browser(item: pytest.Item) -> bool:
    return bool(item.get_closest_marker("browser")) or "open_page" in getattr(
        item, "fixturenames", ()
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without Chromium browser tests are skipped; in CI they fail (see `chromium`)."""
    if CHROMIUM or os.environ.get("CI", "").lower() in {"1", "true"}:
        return
    for item in items:
        if _wants_browser(item):
            item.add_marker(pytest.mark.skip(reason="Chromium is not installed"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser per test process."""
    if not CHROMIUM:
        pytest.fail("Chromium is not installed; with CI set its tests must not be skipped")
    # Playwright keeps an event loop in this thread, which Django takes for asynchronous code.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def open_page(chromium: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """`open_page(path, width=1280, language="zh-CN", scripts=True)` -> a page in a new context.

    With `client`, a test client, the page starts signed in as whoever is signed in there.
    The page carries `console_errors`, a list of messages; a test ends by asserting it empty.
    """
    contexts: list[BrowserContext] = []

    def open_(
        path: str = "/",
        *,
        width: int = DESKTOP,
        language: str = "zh-CN",
        scripts: bool = True,
        client: Client | None = None,
    ) -> Page:
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": 800},
            locale=language,
            timezone_id="Asia/Shanghai",
            java_script_enabled=scripts,
            is_mobile=width <= PHONE,
            has_touch=width <= PHONE,
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        if client is not None and settings.SESSION_COOKIE_NAME in client.cookies:
            value = client.cookies[settings.SESSION_COOKIE_NAME].value
            name = settings.SESSION_COOKIE_NAME
            context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda message: errors.append(message.text) if message.type == "error" else None,
        )
        page.console_errors = errors  # type: ignore[attr-defined]
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
