from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class OutboxConfig(AppConfig):
    name = "sipo_portal.outbox"
    label = "outbox"
    verbose_name = _("Outbox")

    def ready(self) -> None:
        # Named by the settings, as addresses are: the Celery application knows the apps, not they
        # it. Here and not in the package, so that plain rules import without Celery.
        import_module(settings.CELERY_APPLICATION)
