from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "sipo_portal.ui"
    label = "ui"
