from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FinancingConfig(AppConfig):
    name = "financing"
    verbose_name = _("Financing")

    def ready(self) -> None:
        # Models can be imported only now.
        from businesses.announcements import listen
        from financing.services.rematching import rematch_businesses

        listen(rematch_businesses)
