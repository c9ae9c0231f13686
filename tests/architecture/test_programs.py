"""Programs the documents and schedules name exist and explain themselves."""

from django.apps import apps
from django.conf import settings
from django.core.management import get_commands, load_command_class

from sipo_portal.celery import app

OURS = {"sipo_portal", "businesses", "financing"}


def test_every_command_explains_itself() -> None:
    silent = [
        name
        for name, package in get_commands().items()
        if package.split(".")[0] in OURS and not load_command_class(package, name).help
    ]
    assert not silent


def test_commands_the_runner_calls_exist() -> None:
    assert {"seed_demo", "demo_accounts", "run_relay", "seal_audit"} <= set(get_commands())


def test_scheduled_tasks_are_registered() -> None:
    assert apps.ready
    app.loader.import_default_modules()
    schedule = getattr(settings, "CELERY_BEAT_SCHEDULE", {})
    assert {entry["task"] for entry in schedule.values()} <= set(app.tasks)
