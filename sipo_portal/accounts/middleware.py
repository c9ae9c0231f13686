"""What every request of a signed-in person passes: session limits, language, second factor."""

import time
from collections.abc import Callable
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation

from sipo_portal.accounts.sessions import SEEN_AT, SIGNED_IN_AT
from sipo_portal.accounts.verbs import AccountVerb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record

GetResponse = Callable[[HttpRequest], HttpResponseBase]

IDLE_SECONDS = 30 * 60
LONGEST_SECONDS = 12 * 3600
# The last use is written to the session at most this often, so idle time is exact to a minute
# and most pages write nothing.
SEEN_EVERY_SECONDS = 60

# Pages a staff account without a second factor needs to get one, or to leave.
OPEN_WITHOUT_SECOND_FACTOR = frozenset(
    {
        "mfa_activate_totp",
        "account_reauthenticate",
        "mfa_reauthenticate",
        "account_logout",
        "account_email",
        "set_language",
    }
)


def session_limits(get_response: GetResponse) -> GetResponse:
    """End a session 30 minutes after its last use and 12 hours after sign-in (QUALITY 1)."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            now = int(time.time())
            started = request.session.get(SIGNED_IN_AT, 0)
            seen = request.session.get(SEEN_AT, 0)
            if now - started > LONGEST_SECONDS or now - seen > IDLE_SECONDS:
                record(AccountVerb.SESSION_ENDED, actor=Actor.of(request.user), obj=request.user)
                logout(request)
            elif now - seen >= SEEN_EVERY_SECONDS:
                request.session[SEEN_AT] = now
        return get_response(request)

    return middleware


def chosen_language(get_response: GetResponse) -> GetResponse:
    """The language a person chose goes before cookie and browser, which LocaleMiddleware reads."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        language = getattr(request.user, "language", "")
        if language:
            translation.activate(language)
            request.LANGUAGE_CODE = translation.get_language()
        return get_response(request)

    return middleware


class SecondFactorMiddleware:
    """Staff without a second factor get no page but the one that sets it up."""

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        if not getattr(request.user, "needs_second_factor", False):
            return None
        name = request.resolver_match.url_name if request.resolver_match else None
        if name in OPEN_WITHOUT_SECOND_FACTOR or not getattr(view, "login_required", True):
            return None
        if is_mfa_enabled(request.user):
            return None
        return HttpResponseRedirect(reverse("mfa_activate_totp"))
