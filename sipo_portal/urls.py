"""Where each address leads; the apps own their addresses."""

from django.urls import URLPattern, URLResolver, include, path

from sipo_portal import health
from sipo_portal.ui.admin_site import portal_admin

urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("sipo_portal.accounts.urls")),
    path("", include("financing.home_urls")),
    path("", include("financing.urls")),
    path("businesses/", include("businesses.urls")),
    path("notices/", include("sipo_portal.notices.urls")),
    path("admin/", portal_admin.urls),
]
