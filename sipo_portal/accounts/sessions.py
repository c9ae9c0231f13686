"""The clock in a session: read by the middleware and the sign-in, started by the receivers."""

import time

from django.http import HttpRequest

SIGNED_IN_AT, SEEN_AT = "signed_in_at", "seen_at"


def start_clock(request: HttpRequest) -> None:
    """Note the moment of sign-in; a session without it counts as over."""
    request.session[SIGNED_IN_AT] = request.session[SEEN_AT] = int(time.time())
