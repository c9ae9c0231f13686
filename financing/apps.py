from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from businesses.announcements import listen


class FinancingConfig(AppConfig):
    name = "financing"
    verbose_name = _("Financing")

    def ready(self) -> None:
        # Models can be imported only now.
        rematching = import_module("financing.services.rematching")
        listen(rematching.rematch_businesses)
