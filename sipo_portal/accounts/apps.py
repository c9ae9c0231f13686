from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "sipo_portal.accounts"
    label = "accounts"

    def ready(self) -> None:
        # Receivers register themselves; they need the models, which are not there before.
        import_module("sipo_portal.accounts.receivers")
