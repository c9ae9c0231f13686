from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "sipo_portal.audit"
    label = "audit"
