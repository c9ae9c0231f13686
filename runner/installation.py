"""The folder of one installation (the demo's, or a test run's): lock, secrets, what is running."""

import fcntl
import json
import os
import secrets
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from runner.places import STATE, StartError, private_folder, write_private
from runner.processes import Child, end_stray, identity


@dataclass(frozen=True)
class Secrets:
    """Random per installation, kept in a file only its owner can read."""

    secret_key: str
    superuser: str
    owner: str
    application: str
    broker: str


class Installation:
    """One folder under .state; whoever holds its lock may start and stop servers in it."""

    def __init__(self, name: str) -> None:
        STATE.mkdir(mode=0o711, exist_ok=True)
        self.folder = private_folder(STATE / name, 0o711)
        self.logs = private_folder(self.folder / "logs")
        self.name = name
        self._lock: TextIO | None = None

    # --- who may start servers ------------------------------------------------------------

    def take(self, *, wait: float = 0) -> bool:
        """Takes the lock and ends what a killed run left; False when another run holds it."""
        lock = (self.folder / "lock").open("w")
        limit = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= limit:
                    lock.close()
                    return False
                time.sleep(0.2)
        self._lock = lock
        self._end_leftovers()
        return True

    def release(self) -> None:
        if self._lock is not None:
            (self.folder / "running.json").unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    @contextmanager
    def guest(self) -> Iterator[None]:
        """Held while using servers another run started, so that it waits before stopping them."""
        with (self.folder / "guests.lock").open("w") as guests:
            fcntl.flock(guests, fcntl.LOCK_SH)
            yield

    def wait_for_guests(self) -> None:
        with (self.folder / "guests.lock").open("w") as guests:
            fcntl.flock(guests, fcntl.LOCK_EX)

    # --- what is running ------------------------------------------------------------------

    def publish(self, facts: dict[str, Any]) -> None:
        """Tells other runs how to reach the servers; holds passwords, so private."""
        write_private(self.folder / "running.json", json.dumps(facts | {"pid": os.getpid()}))

    def running(self) -> dict[str, Any] | None:
        """What the run holding the lock published, None before it has or after it is gone."""
        try:
            facts: dict[str, Any] = json.loads((self.folder / "running.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return facts if identity(facts["pid"]) else None

    def remember(self, children: list[Child]) -> None:
        """Notes the processes, so that the next run can end them should we be killed."""
        rows = [
            [child.process.pid, identity(child.process.pid), int(child.program.stop_signal)]
            for child in children
            if child.running
        ]
        write_private(self.folder / "processes.json", json.dumps(rows))

    def _end_leftovers(self) -> None:
        try:
            rows = json.loads((self.folder / "processes.json").read_text("utf-8"))
        except (OSError, ValueError):
            rows = []
        # Servers were started first and end last.
        for pid, known, stop_signal in reversed(rows):
            if known is not None and identity(pid) == known:
                end_stray(pid, signal.Signals(stop_signal))
        (self.folder / "processes.json").unlink(missing_ok=True)
        (self.folder / "running.json").unlink(missing_ok=True)

    # --- secrets, end -----------------------------------------------------------------------

    def secrets(self) -> Secrets:
        path = self.folder / "secrets.json"
        if not path.exists():
            fresh = Secrets(secrets.token_urlsafe(48), *(secrets.token_hex(24) for _ in range(4)))
            write_private(path, json.dumps(vars(fresh)))
        try:
            return Secrets(**json.loads(path.read_text("utf-8")))
        except (ValueError, TypeError) as error:
            raise StartError(f"{path} is damaged; start with --fresh.") from error

    def forget(self) -> None:
        """Drops everything but the lock files."""
        for path in self.folder.iterdir():
            if path.name.endswith("lock"):
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        private_folder(self.logs)

    def remove(self) -> None:
        """For throw-away installations: the folder goes, too."""
        self.release()
        shutil.rmtree(self.folder, ignore_errors=True)


def fingerprint_matches(installation: Installation, what: str, value: str) -> bool:
    """Whether `what` was last done for the same `value` (see `fingerprint_done`)."""
    try:
        return (installation.folder / f"{what}.done").read_text("utf-8") == value
    except OSError:
        return False


def fingerprint_done(installation: Installation, what: str, value: str) -> None:
    write_private(Path(installation.folder / f"{what}.done"), value)
