"""Web processes never load the compiler: it costs seconds and hundreds of megabytes each."""

import subprocess
import sys

SCRIPT = """
import sys
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from django.test import Client, override_settings
from django.urls import URLPattern, get_resolver


def views(patterns):
    for one in patterns:
        if isinstance(one, URLPattern):
            yield one.callback
        else:
            yield from views(one.url_patterns)


assert len(list(views(get_resolver().url_patterns))) > 100
plain = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
with override_settings(STORAGES=plain, ALLOWED_HOSTS=["testserver"], SECURE_SSL_REDIRECT=False):
    page = Client().get("/accounts/login/")
assert page.status_code == 200, page.status_code
print(" ".join(name for name in ("numba", "llvmlite") if name in sys.modules))
"""


def test_a_web_process_that_serves_a_page_has_not_loaded_the_compiler():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
