from django.apps import AppConfig


class WorkflowConfig(AppConfig):
    name = "sipo_portal.workflow"
    label = "workflow"
