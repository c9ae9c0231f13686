"""Where sign-in departs from allauth's defaults; named in the settings, called by allauth."""

import secrets
import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from sipo_portal.accounts.models import User
from sipo_portal.accounts.sessions import SIGNED_IN_AT
from sipo_portal.accounts.verbs import AccountVerb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record

DEVICE_COOKIE = "device"
DEVICE_COOKIE_SECONDS = 180 * 24 * 3600
REAUTHENTICATE_AFTER_SECONDS = 300


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-up stores the name; failed tries lock a pair of account and device, not an account.

    Somebody who only knows an e-mail address, or shares a network address, locks nobody else out:
    tries count per account and network address, and a browser that signed in to the account before
    (a signed cookie says so) has a count of its own.
    """

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        user.name = form.cleaned_data["name"]
        return super().save_user(request, user, form, commit)

    def post_login(self, request: HttpRequest, user: Any, **options: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **options)
        if _device_of(request, user.email) is None:
            response.set_cookie(
                DEVICE_COOKIE,
                signing.dumps([str(user.pseudonym), secrets.token_hex(8)], salt=DEVICE_COOKIE),
                max_age=DEVICE_COOKIE_SECONDS,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    def is_reauthentication_required(self, *, app: str = "") -> bool:
        """Not within five minutes of the sign-in: staff who must set up a second factor just typed
        their password."""
        if not super().is_reauthentication_required(app=app):
            return False
        age = time.time() - self.request.session.get(SIGNED_IN_AT, 0)
        return not 0 <= age < REAUTHENTICATE_AFTER_SECONDS

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            user = User.objects.filter(email=_login_of(credentials)).first()
            record(AccountVerb.LOCKED_OUT, actor=Actor.SYSTEM, obj=user)
            raise

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        login = _login_of(credentials)
        device = _device_of(request, login)
        return f"{login}|{device or self.get_client_ip(request)}"


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Staff cannot go back to one factor."""

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return not authenticator.user.needs_second_factor


def _login_of(credentials: dict[str, Any]) -> str:
    return str(credentials.get("email") or credentials.get("username") or "").strip().lower()


def _device_of(request: HttpRequest, login: str) -> str | None:
    """The device's mark when this browser signed in to the account of `login` before."""
    cookie = request.COOKIES.get(DEVICE_COOKIE)
    if not cookie:
        return None
    try:
        pseudonym, mark = signing.loads(cookie, salt=DEVICE_COOKIE, max_age=DEVICE_COOKIE_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    known = User.objects.filter(email=login, pseudonym=pseudonym).exists()
    return str(mark) if known else None
