from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "sipo_portal.accounts"
    label = "accounts"
