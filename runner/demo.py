"""`run.py demo`: everything started, watched and ended again."""

import json
import os
import signal
import socket
import time
import unicodedata
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from types import FrameType

from runner import environment
from runner.installation import Installation
from runner.matcher import await_compiled, start_compiling, stop_compiling
from runner.places import ROOT, VENV, StartError, last_lines, private_folder, say
from runner.preparation import (
    application_variables,
    collect_static,
    compile_catalogues,
    manage,
    migrate,
)
from runner.processes import Child, Program, start, stop
from runner.servers import Addresses, Servers

DEFAULT_PORT = 8000
READY_WITHIN = 60  # seconds
CALM = 60  # seconds a restarted process must live for its back-off to start anew


class Ended(BaseException):
    """Ctrl-C or SIGTERM."""


def run(*, port: int | None, fresh: bool) -> int:
    """Starts the demo and returns when it was told to end: 0 in order, else StartError."""
    environment.ensure("demo")
    installation = Installation("demo")
    if not installation.take(wait=0):
        facts = installation.running() or {}
        if facts.get("address"):
            raise StartError(
                f"The demo of this folder already runs at {facts['address']} "
                f"(process {facts['pid']}). Open that address, or end it with Ctrl-C first."
            )
        say("A command of this folder is using the demo's servers; waiting for it to end …")
        if not installation.take(wait=60):
            raise StartError("It still uses them after a minute; end it first.")
    servers = Servers(installation)
    demo = _Demo(installation, servers)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        if port is not None:
            _choose_port(port)  # refuse before the long part
        demo.prepare(fresh)
        demo.start(_choose_port(port))
        demo.watch()
    except Ended:
        say("\nEnding …")
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        demo.stop()
        installation.release()
    say("Ended; the data is kept for the next start.")
    return 0


def _end(_number: int, _frame: FrameType | None) -> None:
    raise Ended


@dataclass
class _Watched:
    """A child with its restarts."""

    child: Child
    failures: int = 0
    again_at: float | None = None


@dataclass
class _Demo:
    installation: Installation
    servers: Servers
    watched: list[_Watched] = field(default_factory=list)
    addresses: Addresses | None = None
    compiling: Child | None = None

    def prepare(self, fresh: bool) -> None:
        """Servers, tables, catalogues, static files, data."""
        if fresh:
            if os.environ.get("DATABASE_URL"):
                raise StartError(
                    "DATABASE_URL names a database that is not this folder's to drop; "
                    "empty it yourself and leave --fresh out."
                )
            say("Dropping the demo's data …")
            self.servers.drop_data()
            self.installation.forget()
        self.compiling = start_compiling()
        say("Starting PostgreSQL and Valkey …")
        self.addresses = self.servers.start()
        values = application_variables(self.installation, self.addresses)
        compile_catalogues()
        migrate(self.installation, self.addresses)
        collect_static(self.installation, values)
        # Seeding matches too, and both at once would compile twice.
        await_compiled(self.compiling)
        say("Seeding demo data (kept when there) …")
        manage(values, "seed_demo")

    def start(self, port: int) -> None:
        """The five processes, then the ready line once the web answers."""
        assert self.addresses is not None
        address = f"http://127.0.0.1:{port}/"
        values = application_variables(self.installation, self.addresses, PUBLIC_ADDRESS=address)
        self.watched = [_Watched(child) for child in self.servers.children]
        self.installation.publish({"address": address, "addresses": vars(self.addresses)})
        for program in self._programs(port, values):
            self.watched.append(_Watched(start(program)))
            self._remember()
        accounts = manage(values, "demo_accounts", "--json")  # while the others start
        self._await_web(address)
        say()
        say(_accounts_table(accounts))
        say(f"Logs: {self.installation.logs}")
        say(f"Ready: {address}   (Ctrl-C ends it)")

    def _programs(self, port: int, values: dict[str, str]) -> list[Program]:
        def program(name: str, *command: str, patience: float = 10) -> Program:
            return Program(
                name=name,
                command=command,
                log=self.installation.logs / f"{name}.log",
                variables=values,
                folder=ROOT,
                patience=patience,
            )

        python = str(VENV / "bin" / "python")
        beat = private_folder(self.installation.folder / "beat")
        return [
            program("sealer", python, "manage.py", "seal_audit", "--loop"),
            program(
                "worker",
                *(python, "-m", "celery", "-A", "sipo_portal", "worker", "--concurrency", "2"),
                *("--loglevel", "info", "--without-gossip", "--without-mingle"),
            ),
            program("relay", python, "manage.py", "run_relay"),
            program(
                "beat",
                *(python, "-m", "celery", "-A", "sipo_portal", "beat", "--loglevel", "info"),
                *("--schedule", str(beat / "schedule"), "--pidfile", ""),
            ),
            program(
                "web",
                *(python, "-m", "gunicorn", "sipo_portal.wsgi:application"),
                *("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"),
                *("--workers", "2", "--threads", "4", "--graceful-timeout", "5"),
                *("--access-logfile", "-", "--no-control-socket"),
                # Links that open without an account do not belong into a log.
                *("--logger-class", "sipo_portal.access_log.AccessLog"),
            ),
        ]

    def _await_web(self, address: str) -> None:
        limit = time.monotonic() + READY_WITHIN
        while time.monotonic() < limit:
            for one in self.watched:
                if not one.child.running:
                    name, log = one.child.program.name, one.child.program.log
                    raise StartError(f"{name} ended at once; the end of {log}:\n{last_lines(log)}")
            try:
                with urllib.request.urlopen(f"{address}livez", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(0.1)
        log = self.installation.logs / "web.log"
        raise StartError(f"The web server does not answer; the end of {log}:\n{last_lines(log)}")

    def watch(self) -> None:
        """Restarts what dies, waiting longer each time; ends only by a signal."""
        while True:
            now = time.monotonic()
            for one in self.watched:
                if one.child.running:
                    if one.failures and now - one.child.started > CALM:
                        one.failures = 0
                elif one.again_at is None:
                    pause = min(2**one.failures, 30)
                    one.failures += 1
                    one.again_at = now + pause
                    program = one.child.program
                    stop(one.child)  # what is left of its group
                    say(
                        f"{program.name} ended ({_how(one.child)}); "
                        f"starting it again in {pause} s. "
                        f"The end of {program.log}:\n{last_lines(program.log)}"
                    )
                elif now >= one.again_at:
                    one.again_at = None
                    one.child = start(one.child.program)
                    self._remember()
                    say(f"{one.child.program.name} started again.")
            time.sleep(0.5)

    def stop(self) -> None:
        """Web and clock first, then the jobs, the servers last."""
        stop_compiling(self.compiling)
        own = [
            one.child
            for one in self.watched
            if one.child.program.name not in {"postgres", "valkey"}
        ]
        order = ["beat", "web", "relay", "worker", "sealer"]
        own.sort(key=lambda child: order.index(child.program.name))
        for child in own:  # all get their signal first, so that their patience overlaps
            if child.running:
                child.process.send_signal(child.program.stop_signal)
        for child in own:
            stop(child)
        restarted = [
            one.child for one in self.watched if one.child.program.name in {"postgres", "valkey"}
        ]
        self.servers.children = restarted or self.servers.children
        self.servers.stop()

    def _remember(self) -> None:
        self.installation.remember([one.child for one in self.watched])


def _how(child: Child) -> str:
    code = child.process.returncode
    return f"signal {-code}" if code is not None and code < 0 else f"exit {code}"


def _choose_port(wanted: int | None) -> int:
    if wanted is not None:
        if not _free(wanted):
            raise StartError(
                f"Port {wanted} is taken; choose another with --port, or leave it out."
            )
        return wanted
    for port in range(DEFAULT_PORT, DEFAULT_PORT + 100):
        if _free(port):
            if port != DEFAULT_PORT:
                say(f"Port {DEFAULT_PORT} is taken; using {port}.")
            return port
    raise StartError(f"No free port from {DEFAULT_PORT} on; choose one with --port.")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _accounts_table(text: str) -> str:
    """The demo accounts as aligned columns."""
    found = json.loads(text)
    rows = found["accounts"] if isinstance(found, dict) else found
    columns = [
        column
        for column in ("role", "name", "email", "password", "totp_secret")
        if any(row.get(column) for row in rows)
    ]
    lines = [[column.replace("_", " ") for column in columns]]
    lines += [[str(row.get(column) or "") for column in columns] for row in rows]
    widths = [max(_width(line[index]) for line in lines) for index in range(len(columns))]
    return "\n".join("  " + "  ".join(map(_padded, line, widths)).rstrip() for line in lines)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    """Columns of a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)
