"""Tasks of the drills; each leaves one row per finished run in a table the drill makes."""

import os
import signal
import time

from django.db import connection

from sipo_portal.outbox.tasks import outbox_task


def leave(key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO drill_effect (key) VALUES (%s)", [key])


@outbox_task("drill.leave")
def leave_effect(key: str, seconds: float = 0) -> None:
    leave(key)
    time.sleep(seconds)


@outbox_task("drill.fail")
def fail(key: str) -> None:
    leave(key)
    raise RuntimeError("somebody@example.cn is not to be kept")


@outbox_task("drill.die")
def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
