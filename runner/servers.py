"""A private PostgreSQL and Valkey for one installation, or those the environment names."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from runner import environment
from runner.binaries import (
    find_postgres,
    find_valkey,
    postgres_major,
    servers_folder,
    service_account,
)
from runner.installation import Installation
from runner.places import PYTHON, ROOT, STATE, StartError, last_lines, private_folder
from runner.processes import Account, Child, Program, credentials, end_stray, start, stop

DATABASE, OWNER, APPLICATION = "sipo", "sipo_owner", "sipo_app"
THROW_AWAY = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
)


@dataclass(frozen=True)
class Addresses:
    """URLs of the servers; `application_role` is '' where the installation does not part roles."""

    owner: str
    application: str
    broker: str
    application_role: str


@dataclass
class Servers:
    """What was started for an installation; nothing for servers that were given."""

    installation: Installation
    throw_away: bool = False
    children: list[Child] = field(default_factory=list)

    def start(self) -> Addresses:
        """Starts what is not given by DATABASE_URL and REDIS_URL; StartError with the log's end."""
        own_database = not os.environ.get("DATABASE_URL")
        own_broker = not os.environ.get("REDIS_URL")
        account = service_account() if own_database or own_broker else None
        folder = servers_folder(self.installation.name, account)
        if own_database or own_broker:
            private_folder(folder, 0o711)
        if not own_database:
            application = os.environ["DATABASE_URL"]
            owner = os.environ.get("DATABASE_OWNER_URL") or application
            role = os.environ.get("DATABASE_APP_ROLE", "")
        else:
            owner, application = self._start_database(folder, account)
            role = APPLICATION
        broker = os.environ["REDIS_URL"] if not own_broker else self._start_broker(folder, account)
        return Addresses(owner, application, broker, role)

    def stop(self) -> None:
        """Ends the servers, the last started first, and a throw-away's data with them."""
        for child in reversed(self.children):
            stop(child)
        if self.throw_away:
            folder = servers_folder(self.installation.name, service_account())
            shutil.rmtree(folder, ignore_errors=True)
        self.children.clear()

    def drop_data(self) -> None:
        """Deletes the installation's data; the servers must not be running."""
        folder = servers_folder(self.installation.name, service_account())
        _end_database_in(folder / "postgres")
        if folder.exists():
            shutil.rmtree(folder)

    # --- PostgreSQL -------------------------------------------------------------------------

    def _start_database(self, folder: Path, account: Account | None) -> tuple[str, str]:
        programs = find_postgres(account)
        data = folder / "postgres"
        known = (self.installation.folder / "secrets.json").exists()
        _end_database_in(data)
        if data.exists() and (not known or not (data / "PG_VERSION").exists()):
            shutil.rmtree(data)  # of a checkout since deleted, or of an initdb cut short
        secret = self.installation.secrets()
        major = postgres_major(programs)
        if not data.exists():
            self._make_cluster(programs, major, data, account, secret.superuser)
        made_by = (data / "PG_VERSION").read_text("ascii").strip()
        if made_by != str(major):
            raise StartError(
                f"The data in {data} was made by PostgreSQL {made_by}, but {major} is here now. "
                "Start with --fresh to drop it, or install the former version."
            )
        options = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "shared_buffers=256MB",
            "max_connections=200",
            "log_min_messages=warning",
            *(THROW_AWAY if self.throw_away else ()),
        ]
        _child, port = self._start_on_free_port(
            "postgres",
            lambda port: [
                str(programs / "postgres"),
                *("-D", str(data), "-p", str(port)),
                *(part for option in options for part in ("-c", option)),
            ],
            folder=data,
            account=account,
            stop_signal=signal.SIGINT,
            ready=lambda child, _port: _database_ready(data, child.process.pid),
        )
        self._prepare_roles(port)
        base = f"127.0.0.1:{port}/{DATABASE}"
        return (
            f"postgres://{OWNER}:{secret.owner}@{base}",
            f"postgres://{APPLICATION}:{secret.application}@{base}",
        )

    def _make_cluster(
        self, programs: Path, major: int, data: Path, account: Account | None, password: str
    ) -> None:
        """initdb with checks on, scram only, and a locale that sorts alike on every machine."""
        private_folder(data)
        password_file = data.parent / f"initial-{secrets.token_hex(8)}"
        password_file.touch(mode=0o600)
        password_file.write_text(password, "ascii")
        if account is not None:
            os.chown(data, account.uid, account.gid)
            os.chown(password_file, account.uid, account.gid)
        locale = (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            if major >= 17
            else ["--locale=C.UTF-8"]
        )
        command = [
            str(programs / "initdb"),
            *("-D", str(data), "-U", "postgres", "-E", "UTF8", "--auth=scram-sha-256"),
            *locale,
            f"--pwfile={password_file}",
            *(["--no-sync"] if self.throw_away else []),
        ]
        try:
            made = subprocess.run(
                command, capture_output=True, text=True, cwd=data, **credentials(account)
            )
        finally:
            password_file.unlink()
        if made.returncode:
            shutil.rmtree(data, ignore_errors=True)
            raise StartError(f"PostgreSQL could not make its data folder:\n{made.stderr.strip()}")

    def _prepare_roles(self, port: int) -> None:
        secret = self.installation.secrets()
        made = subprocess.run(
            [PYTHON, "-m", "runner.inside.database_roles"],
            env=environment.variables(
                SUPERUSER_URL=f"postgres://postgres:{secret.superuser}@127.0.0.1:{port}/postgres",
                DATABASE=DATABASE,
                OWNER=OWNER,
                OWNER_PASSWORD=secret.owner,
                APPLICATION=APPLICATION,
                APPLICATION_PASSWORD=secret.application,
            ),
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        if made.returncode:
            raise StartError(f"The database roles could not be made:\n{made.stderr.strip()}")

    # --- Valkey -----------------------------------------------------------------------------

    def _start_broker(self, folder: Path, account: Account | None) -> str:
        program = find_valkey(account)
        password = self.installation.secrets().broker
        data = private_folder(folder / "valkey")
        settings = data / "valkey.conf"
        settings.unlink(missing_ok=True)
        settings.touch(mode=0o600)
        # Nothing is kept: the outbox in PostgreSQL sends again what the broker has lost.
        settings.write_text(
            f'bind 127.0.0.1\nrequirepass {password}\nsave ""\nappendonly no\ndaemonize no\n',
            "ascii",
        )
        if account is not None:
            os.chown(data, account.uid, account.gid)
            os.chown(settings, account.uid, account.gid)
        _child, port = self._start_on_free_port(
            "valkey",
            lambda port: [str(program), str(settings), "--port", str(port)],
            folder=data,
            account=account,
            stop_signal=signal.SIGTERM,
            ready=lambda _child, port: _broker_ready(port, password),
        )
        return f"redis://:{password}@127.0.0.1:{port}/0"

    # --- both -------------------------------------------------------------------------------

    def _start_on_free_port(
        self,
        name: str,
        command: Callable[[int], list[str]],
        *,
        folder: Path,
        account: Account | None,
        stop_signal: int,
        ready: Callable[[Child, int], bool],
    ) -> tuple[Child, int]:
        """Starts on a free port of the loopback; again on another when it was taken meanwhile."""
        log = self.installation.logs / f"{name}.log"
        for _attempt in range(3):
            port = free_port()
            child = start(
                Program(
                    name=name,
                    command=command(port),
                    log=log,
                    variables={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                    folder=folder,
                    account=account,
                    stop_signal=stop_signal,
                    patience=30,
                )
            )
            limit = time.monotonic() + 60
            while child.running and time.monotonic() < limit:
                if ready(child, port):
                    self.children.append(child)
                    self.installation.remember(self.children)
                    return child, port
                time.sleep(0.05)
            stop(child)
        raise StartError(f"{name} did not start; the end of {log}:\n{last_lines(log)}")


def throw_away(prefix: str) -> Installation:
    """A new installation of this run alone; clears those of runs that were killed."""
    if STATE.is_dir():
        for folder in STATE.glob(f"{prefix}-*"):
            old = Installation(folder.name)
            if old.take():
                Servers(old).drop_data()
                old.remove()
    installation = Installation(f"{prefix}-{os.getpid()}")
    if not installation.take():
        raise StartError(f"{installation.folder} is in use; delete it and try again.")
    return installation


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _database_ready(data: Path, pid: int) -> bool:
    """PostgreSQL writes its state into the eighth line of postmaster.pid."""
    try:
        lines = (data / "postmaster.pid").read_text("utf-8").splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _end_database_in(data: Path) -> None:
    """Stops a PostgreSQL that an earlier run left on this folder."""
    try:
        pid = int((data / "postmaster.pid").read_text("utf-8").splitlines()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError, IndexError):
        return
    if os.fsencode(data) in command:
        end_stray(pid, signal.SIGINT, 30)


def _broker_ready(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while b"PONG" not in answer and b"-" not in answer:
                more = connection.recv(256)
                if not more:
                    return False
                answer += more
    except OSError:
        return False
    return b"PONG" in answer
