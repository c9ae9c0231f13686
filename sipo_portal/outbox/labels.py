"""What the work of outbox messages is called, by task; tasks fill it, the admin reads."""

from django.utils.functional import Promise

LABELS: dict[str, str | Promise] = {}
