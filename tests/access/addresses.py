"""Every address of the portal, read from the URL resolver; the tests of this folder start here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Address:
    """One URL shape: its name with namespace (`admin:*` for the admin's catch-all) and view."""

    name: str
    route: str
    view: Callable[..., Any]

    @property
    def is_public(self) -> bool:
        """Marked as open to visitors."""
        return not getattr(self.view, "login_required", True)


def every_address() -> list[Address]:
    return list(_walk(get_resolver(), (), ""))


def _walk(resolver: Any, namespaces: tuple[str, ...], route: str) -> Iterator[Address]:
    for pattern in resolver.url_patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inside = (pattern.namespace,) if pattern.namespace else ()
            yield from _walk(pattern, namespaces + inside, here)
        elif isinstance(pattern, URLPattern):
            yield Address(":".join((*namespaces, pattern.name or "*")), here, pattern.callback)
