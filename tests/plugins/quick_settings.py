"""Settings that differ while testing: plain static files, a cache per process, cheap passwords."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.cache import cache


def pytest_configure() -> None:
    """Runs before the first test touches storage, cache or passwords (all three are lazy)."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    # Nothing is collected while testing; the live server finds static files itself.
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]
    # In memory: workers of pytest-xdist must not share rate limits.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    yield
    cache.clear()
