"""The project: settings, URLs and Celery, and the apps every other app may use."""

from sipo_portal.celery import app as celery_app

__all__ = ["celery_app"]
