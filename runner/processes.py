"""Child processes: started in their own group, bound to our life, ended without leaving any."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Account:
    """The unprivileged account that root starts the servers as."""

    name: str
    uid: int
    gid: int


@dataclass
class Program:
    """How to start one long-running process, and with which signal it ends in order."""

    name: str
    command: Sequence[str]
    log: Path
    variables: Mapping[str, str]
    folder: Path
    account: Account | None = None
    stop_signal: int = signal.SIGTERM
    patience: float = 10.0  # seconds between the stop signal and SIGKILL


@dataclass
class Child:
    """A started program."""

    program: Program
    process: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)

    @property
    def running(self) -> bool:
        return self.process.poll() is None


def start(program: Program) -> Child:
    """Starts it with output appended to its log (readable by us only)."""
    descriptor = os.open(program.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            env=dict(program.variables),
            cwd=program.folder,
            start_new_session=True,
            preexec_fn=_bind_to_parent(program.stop_signal),
            **credentials(program.account),
        )
    finally:
        os.close(descriptor)
    return Child(program, process)


def stop(child: Child) -> None:
    """Stop signal, patience, then SIGKILL to whatever is left of its process group."""
    if child.running:
        child.process.send_signal(child.program.stop_signal)
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(child.program.patience)
    _kill_group(child.process.pid)
    child.process.wait()


def credentials(account: Account | None) -> dict[str, Any]:
    """Keyword arguments of subprocess that drop every right the account does not have."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def identity(pid: int) -> str | None:
    """Something that changes when the process number is used again; None when it is not there."""
    status = Path(f"/proc/{pid}/stat")
    if status.parent.parent.joinpath("self").exists():
        try:
            return status.read_text("ascii", errors="replace").rsplit(")", 1)[1].split()[19]
        except (OSError, IndexError):
            return None
    answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True)
    return answer.stdout.strip() or None


def end_stray(pid: int, stop_signal: int = signal.SIGTERM, patience: float = 10.0) -> None:
    """Ends a process (and its group) that an earlier run left behind."""
    before = identity(pid)
    if before is None:
        return
    try:
        os.kill(pid, stop_signal)
    except ProcessLookupError:
        return
    limit = time.monotonic() + patience
    while time.monotonic() < limit and identity(pid) == before:
        time.sleep(0.05)
    _kill_group(pid)


def run_in_front(command: Sequence[str], variables: Mapping[str, str], folder: Path) -> int:
    """Runs a command on our terminal; Ctrl-C is its own to handle, SIGTERM is passed on."""
    process = subprocess.Popen(
        command, env=dict(variables), cwd=folder, preexec_fn=_bind_to_parent(signal.SIGTERM)
    )

    def pass_on(number: int, _frame: object) -> None:
        process.send_signal(number)

    interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
    terminate = signal.signal(signal.SIGTERM, pass_on)
    try:
        return process.wait()
    finally:
        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGTERM, terminate)


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _bind_to_parent(stop_signal: int) -> Callable[[], None] | None:
    """On Linux the child gets its stop signal even when we die by SIGKILL."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    parent = os.getpid()

    def bind() -> None:
        library.prctl(PR_SET_PDEATHSIG, stop_signal)
        if os.getppid() != parent:
            os._exit(1)

    return bind
