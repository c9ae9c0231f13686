"""The Celery application; only the outbox relay and beat publish to it."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sipo_portal.settings")

app = Celery("sipo_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
