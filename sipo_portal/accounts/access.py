"""Gates of views: which roles may enter, and which pages are public."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from sipo_portal.accounts.models import User

View = Callable[..., HttpResponseBase]


class SignedInRequest(HttpRequest):
    """For type checkers: the request of a view behind `roles_required`."""

    user: User


# Marks a view as open to visitors without an account; everything else asks for sign-in.
public = login_not_required


def roles_required(*roles: str) -> Callable[[View], View]:
    """Let only the given roles in: visitors go to the sign-in page, other roles get 403.

    A foreign row is not this gate's matter: views look rows up through `visible_to` and answer 404.
    """
    allowed = frozenset(str(role) for role in roles)

    def gate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            role = getattr(request.user, "role", "")
            if not role:
                return redirect_to_login(request.get_full_path())
            if role not in allowed:
                raise PermissionDenied
            return view(request, *args, **kwargs)

        checked.roles = allowed  # type: ignore[attr-defined]
        return checked

    return gate
