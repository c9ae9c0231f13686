"""The design system as a Django app."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class UiConfig(AppConfig):
    name = "sipo_portal.ui"
    label = "ui"

    def ready(self) -> None:
        # The apps' admin modules register on `portal_admin`; Django's own site stays unused.
        autodiscover_modules("admin")
