"""Limits on how often a page is asked for; views of other apps call it."""

from allauth.core.internal import ratelimit
from django.http import HttpRequest


def is_within(request: HttpRequest, action: str, rate: str) -> bool:
    """Count this request for `action`; whether it is still within `rate`.

    `rate` as allauth writes it: "30/m/ip", "20/h/user". Counts live in the cache, GET counts too.
    """
    usage = ratelimit.consume(
        request, app="portal", action=action, config={action: rate}, limit_get=True
    )
    return usage is not None
