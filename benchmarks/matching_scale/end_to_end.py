"""From a submit to the proposals that pages show: PostgreSQL, outbox, relay and worker for real.

A database of its own on the server of DATABASE_URL, seeded with the demo's data and more live
offers, dropped at the end; relay and worker are started as the demo does. The part that submits and
waits is this module run as a program, with Django set up for that database.
"""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parents[2]
ENDS_WITHIN_S = 10


def measured(live_offers: int, repetitions: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Times in ms of submits and publications until their proposals are there."""
    with _own_database() as address, _own_queue(address) as variables:
        say("end to end: making tables and demo data")
        for command in ("migrate", "seed_demo"):
            line = [sys.executable, "manage.py", command]
            subprocess.run(line, cwd=ROOT, env=variables, check=True, stdout=sys.stderr)
        program = [sys.executable, "-m", "benchmarks.matching_scale.end_to_end_submits"]
        with TemporaryFile("w+") as log, _running(variables, log):
            say(f"end to end: {live_offers} more live offers, {repetitions} repetitions")
            found = subprocess.run(
                [*program, str(live_offers), str(repetitions)],
                cwd=ROOT,
                env=variables,
                check=True,
                stdout=subprocess.PIPE,
            )
    return {**json.loads(found.stdout), "load": [round(one, 2) for one in os.getloadavg()]}


@contextmanager
def _own_database() -> Iterator[str]:
    """The address of a new database, dropped at the end."""
    server = os.environ["DATABASE_URL"]
    name = f"sipo_bench_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


@contextmanager
def _own_queue(database: str) -> Iterator[dict[str, str]]:
    yield {
        **os.environ,
        "DATABASE_URL": database,
        "DEMO_DATA": "1",
        "CELERY_QUEUE": f"bench-{uuid.uuid4().hex[:8]}",
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "sipo_portal.settings",
    }


@contextmanager
def _running(variables: dict[str, str], log: IO[str]) -> Iterator[None]:
    """Relay and a worker of one process, as in the demo; what they complain of goes to `log`."""
    worker = ["-m", "celery", "-A", "sipo_portal", "worker", "-Q", variables["CELERY_QUEUE"]]
    lines = [
        ["manage.py", "run_relay"],
        [*worker, "--concurrency", "1", "--loglevel", "warning"],
    ]
    started = [
        subprocess.Popen(
            [sys.executable, *line],
            cwd=ROOT,
            env=variables,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )
        for line in lines
    ]
    try:
        yield
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        end = time.monotonic() + ENDS_WITHIN_S
        for process in started:
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
