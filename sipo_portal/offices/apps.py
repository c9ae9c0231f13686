from django.apps import AppConfig


class OfficesConfig(AppConfig):
    name = "sipo_portal.offices"
    label = "offices"
