"""What everybody does in the browser, in whatever language and with or without scripts; the walks.

Each step that leads to another page ends with a look at it (`looks.Watch`).
"""

import re
from collections.abc import Callable

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from playwright.sync_api import Locator, Page, expect

from financing.models import Institution
from sipo_portal.accounts.models import User
from sipo_portal.notices.models import Notice
from tests.factories.accounts import PASSWORD

OpenPage = Callable[..., Page]
RunOutbox = Callable[[], int]


def fill(page: Page, **values: object) -> None:
    """Type into fields by name; a list by its value, a radio button or box by being chosen."""
    for name, value in values.items():
        field = page.locator(f"main [name='{name}']")
        if field.first.evaluate("field => field.tagName") == "SELECT":
            field.select_option(str(value))
        elif field.first.get_attribute("type") in ("radio", "checkbox"):
            choose(field, value)
        else:
            field.fill(str(value))


def choose(field: Locator, value: object) -> None:
    if value is True:
        field.first.check()
    else:
        field.and_(field.page.locator(f"[value='{value}']")).check()


def submit(page: Page, within: str = "main") -> None:
    """Press the one primary button of the form inside `within`."""
    click(page.locator(f"{within} form button.btn-primary"))


def press(page: Page, action: str, button: str = "button[type=submit]") -> None:
    """Press the button of the form that is sent to `action`."""
    click(page.locator(f"main form[action='{action}'] {button}"))


def follow(page: Page, path: str, within: str = "body") -> None:
    """Click the first link shown that leads to `path`."""
    click(page.locator(f"{within} a[href='{path}']").locator("visible=true").first)


def visit(page: Page, path: str) -> None:
    """Type an address, as one does with the link of a mail."""
    page.goto(path)
    page.watch.look()  # type: ignore[attr-defined]


def click(target: Locator) -> None:
    """Click what leads to another page, and look at that."""
    page = target.page
    with page.expect_navigation():
        target.click()
    page.watch.look()  # type: ignore[attr-defined]


def see_result(page: Page) -> None:
    """Of long work that is done now: with scripts the page asks by itself, else by a link."""
    if page.evaluate("typeof htmx !== 'undefined'"):
        expect(page.locator("#progress")).to_have_count(0)
        page.wait_for_load_state()
        page.watch.look()  # type: ignore[attr-defined]
    else:
        click(page.locator("#progress a"))
        expect(page.locator("#progress")).to_have_count(0)


def code_of(user: User) -> str:
    """What the authenticator app of `user` shows now."""
    secret = decrypt(Authenticator.objects.get(user=user, type="totp").data["secret"])
    return f"{hotp_value(secret, next(iter(yield_hotp_counters_from_time()))):06d}"


def sign_in(page: Page, user: User) -> None:
    """By password, and by the code where the role needs one."""
    visit(page, "/accounts/login/")
    fill(page, login=user.email, password=PASSWORD)
    submit(page)
    # A code is good for half a minute, which a machine at its limits may need to send it.
    for _try in range(3 if user.needs_second_factor else 0):
        fill(page, code=code_of(user))
        submit(page)
        if "/accounts/" not in page.url:
            break
    assert "/accounts/" not in page.url, page.locator("main").inner_text()


def read_notice(page: Page, user: User, kind: str) -> Notice:
    """See that something is unread, open the newest notice of `kind`; it leads to its matter."""
    notice = Notice.objects.filter(recipient=user, kind=kind, read_at=None).latest("pk")
    follow(page, "/notices/")
    expect(page.locator(".notice-count")).to_be_attached()
    follow(page, f"/notices/{notice.pk}/open/")
    assert page.url.endswith(notice.path), (page.url, notice.path)
    notice.refresh_from_db()
    assert notice.read_at
    return notice


def named(institution: Institution) -> re.Pattern[str]:
    """Its name in either language."""
    return re.compile(f"{institution.name}|{institution.name_en}")
