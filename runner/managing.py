"""`run.py manage …` and `run.py bench …`: programs inside the environment, with servers running."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from runner import environment
from runner.installation import Installation
from runner.matcher import await_compiled, start_compiling
from runner.places import PYTHON, ROOT, StartError, say, speak_on
from runner.preparation import (
    application_variables,
    compile_catalogues,
    migrate,
    settings_without_servers,
)
from runner.processes import run_in_front
from runner.servers import Addresses, Servers

# Commands that need no server, and those that change tables and so run as the owner role.
WITHOUT_SERVERS = {"help", "--help", "--version", "version", "diffsettings", "startapp", "check"}
AS_OWNER = {"migrate", "flush", "sqlflush", "createcachetable", "test", "makemigrations"}
WITHOUT_MIGRATING = {"migrate", "makemigrations", "showmigrations", "sqlmigrate"}
BENCHMARKS = ROOT / "benchmarks"


def manage(arguments: list[str]) -> int:
    """Runs a management command; its output alone goes to stdout."""
    speak_on(sys.stderr)
    environment.ensure("demo")
    command = arguments[0] if arguments else "help"
    line = [str(PYTHON), "manage.py", *arguments]
    if command in WITHOUT_SERVERS or "--help" in arguments:
        return run_in_front(line, settings_without_servers(), ROOT)
    compile_catalogues()
    installation = Installation("demo")
    with _servers(installation, migrating=command not in WITHOUT_MIGRATING) as (addresses, address):
        values = application_variables(
            installation, addresses, owner=command in AS_OWNER, PUBLIC_ADDRESS=address
        )
        return run_in_front(line, values, ROOT)


def bench(arguments: list[str]) -> int:
    """Runs benchmarks/<name>.py (- for _) with the other arguments, or lists what there is."""
    there = sorted(path.stem.replace("_", "-") for path in BENCHMARKS.glob("[a-z]*.py"))
    listed = ", ".join(there) if there else "none yet"
    if not arguments:
        say(f"Benchmarks: {listed}.")
        return 0
    name = arguments[0]
    if name not in there:
        raise StartError(f"There is no benchmark `{name}`; there is: {listed}.")
    speak_on(sys.stderr)
    environment.ensure("bench")
    await_compiled(start_compiling())
    installation = Installation("demo")
    with _servers(installation, migrating=True) as (addresses, _address):
        values = application_variables(installation, addresses, owner=True, PYTHONPATH=str(ROOT))
        module = f"benchmarks.{name.replace('-', '_')}"
        return run_in_front([str(PYTHON), "-m", module, *arguments[1:]], values, ROOT)


@contextmanager
def _servers(installation: Installation, *, migrating: bool) -> Iterator[tuple[Addresses, str]]:
    """The running demo's servers, else our own on its data for as long as they are needed."""
    limit = time.monotonic() + 120
    while True:
        if installation.take():
            with _own_servers(installation, migrating) as found:
                yield found
            return
        with installation.guest():
            facts = installation.running()
            if facts is not None:
                yield Addresses(**facts["addresses"]), facts["address"]
                return
        if time.monotonic() > limit:
            raise StartError("Another run of this folder is starting or ending; try again.")
        time.sleep(0.3)


@contextmanager
def _own_servers(installation: Installation, migrating: bool) -> Iterator[tuple[Addresses, str]]:
    servers = Servers(installation)
    address = os.environ.get("PUBLIC_ADDRESS", "http://127.0.0.1:8000/")
    try:
        addresses = servers.start()
        if migrating:
            migrate(installation, addresses)
        installation.publish({"address": "", "addresses": vars(addresses)})
        yield addresses, address
    finally:
        # From here on nobody new finds them; those who did finish first.
        (installation.folder / "running.json").unlink(missing_ok=True)
        installation.wait_for_guests()
        servers.stop()
        installation.release()
