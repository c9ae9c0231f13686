"""Machines of their own for workers: network namespaces that reach PostgreSQL and Redis alone."""

import ctypes
import os
import shutil
import socket
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress

import pytest

CLONE_NEWNET = 0x40000000


class Namespaces:
    """A hub namespace in which two ports listen and nothing else runs, and namespaces around it.

    Each is joined to the hub by a pair of interfaces; there is no way between two of them, nor to
    this machine. Connections to the hub's ports are carried to `targets` by this process.
    """

    def __init__(self, targets: list[tuple[str, int]]) -> None:
        self.tag = uuid.uuid4().hex[:6]
        self.names: list[str] = []
        self.hub = self._add("hub")
        self.targets = targets
        self.listeners = [self._listen() for _ in targets]
        for listener, target in zip(self.listeners, targets, strict=True):
            threading.Thread(target=_carry_all, args=(listener, target), daemon=True).start()

    @property
    def ports(self) -> list[int]:
        """Of the hub, in the order of the targets."""
        return [listener.getsockname()[1] for listener in self.listeners]

    def join(self) -> tuple[str, str]:
        """A new namespace: its name, and the address at which it sees the hub."""
        number = len(self.names)
        name = self._add(f"w{number}")
        near, far = f"s{self.tag}{number}a", f"s{self.tag}{number}b"
        _ip("link", "add", near, "type", "veth", "peer", "name", far)
        _ip("link", "set", near, "netns", self.hub)
        _ip("link", "set", far, "netns", name)
        hub_address, address = f"10.213.{number}.1", f"10.213.{number}.2"
        for place, link, own in ((self.hub, near, hub_address), (name, far, address)):
            _ip("-n", place, "address", "add", f"{own}/30", "dev", link)
            _ip("-n", place, "link", "set", link, "up")
        return name, hub_address

    def end(self) -> None:
        for listener in self.listeners:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for name in self.names:
            subprocess.run(["ip", "netns", "delete", name], check=False)

    def _add(self, role: str) -> str:
        name = f"sipo-{self.tag}-{role}"
        _ip("netns", "add", name)
        self.names.append(name)
        _ip("-n", name, "link", "set", "lo", "up")
        return name

    def _listen(self) -> socket.socket:
        """A socket that listens in the hub, wherever it is accepted."""
        made: list[socket.socket] = []

        def inside() -> None:
            libc = ctypes.CDLL(None, use_errno=True)
            with open(f"/var/run/netns/{self.hub}") as file:
                if libc.setns(file.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            made.append(socket.create_server(("0.0.0.0", 0), backlog=64))

        # The namespace is the thread's own and goes with it.
        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        return made[0]


def _carry_all(listener: socket.socket, target: tuple[str, int]) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        far = socket.create_connection(target)
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=_carry, args=(source, sink), daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def why_not() -> str:
    """Why no namespace can be made here; empty where they can."""
    if shutil.which("ip") is None:
        return "no `ip` here (Debian: iproute2)"
    if os.geteuid() != 0:
        return "network namespaces need root"
    name = f"sipo-probe-{uuid.uuid4().hex[:6]}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    if made.returncode:
        return f"ip netns add: {made.stderr.decode().strip()}"
    subprocess.run(["ip", "netns", "delete", name], check=False)
    return ""


@pytest.fixture
def make_namespaces() -> Iterator[type[Namespaces]]:
    """Makes `Namespaces(targets)`; skips with the reason where that is not permitted."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    made: list[Namespaces] = []

    def make(targets: list[tuple[str, int]]) -> Namespaces:
        made.append(Namespaces(targets))
        return made[-1]

    yield make  # type: ignore[misc]
    for each in made:
        each.end()
