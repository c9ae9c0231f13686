"""What people do in the browser, in whatever language and with or without scripts; the walks."""

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from playwright.sync_api import Locator, Page

from sipo_portal.accounts.models import User
from tests.factories.accounts import PASSWORD


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
    page.locator(f"{within} form button.btn-primary").click()
    page.wait_for_load_state()


def follow(page: Page, path: str, within: str = "body") -> None:
    """Click the first link shown that leads to `path`."""
    page.locator(f"{within} a[href='{path}']").locator("visible=true").first.click()
    page.wait_for_load_state()


def code_of(user: User) -> str:
    """What the authenticator app of `user` shows now."""
    secret = decrypt(Authenticator.objects.get(user=user, type="totp").data["secret"])
    return f"{hotp_value(secret, next(iter(yield_hotp_counters_from_time()))):06d}"


def sign_in(page: Page, user: User) -> None:
    """By password, and by the code where the role needs one."""
    page.goto("/accounts/login/")
    fill(page, login=user.email, password=PASSWORD)
    submit(page)
    if user.needs_second_factor:
        fill(page, code=code_of(user))
        submit(page)
    assert "/accounts/" not in page.url, page.locator("main").inner_text()
