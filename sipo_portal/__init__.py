"""The project: settings, URLs and Celery, and the apps every other app may use."""
