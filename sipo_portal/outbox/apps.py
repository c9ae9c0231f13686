from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "sipo_portal.outbox"
    label = "outbox"
