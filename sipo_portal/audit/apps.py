from importlib import import_module

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "sipo_portal.audit"
    label = "audit"
    verbose_name = _("Audit")

    def ready(self) -> None:
        grants = import_module("sipo_portal.audit.grants")
        # Once per migrate: the signal is sent for every app with models; this listens to the last.
        last = [each for each in apps.get_app_configs() if each.models_module][-1]
        post_migrate.connect(grants.grant_to_application, sender=last)
