"""The matcher's machine code: compiled beside other preparation, once per state of its files.

Without it the first run of a worker would wait a minute or two; what is compiled stays in the
folder of `financing/matching/national/compiled.py`.
"""

import hashlib
import os
from pathlib import Path

from runner.places import PYTHON, REQUIREMENTS, ROOT, STATE, last_lines, private_folder, say
from runner.preparation import settings_without_servers
from runner.processes import Child, Program, start, stop

SOURCES = ROOT / "financing" / "matching" / "national"


def start_compiling() -> Child | None:
    """The compiler at work in the background; None where nothing has changed since the last."""
    folder = _folder()
    if _stamp(folder).exists():
        return None
    say("Compiling the matcher in the background …")
    return start(
        Program(
            name="matcher",
            command=(str(PYTHON), "-m", "financing.matching.national.warm"),
            log=folder / "compiling.log",
            variables=settings_without_servers(),
            folder=ROOT,
        )
    )


def await_compiled(child: Child | None) -> None:
    """Until the machine code is there; where that fails the first run compiles what it needs."""
    if child is None:
        return
    if child.running:
        say("Waiting for the matcher to be compiled …")
    if child.process.wait():
        log = child.program.log
        say(f"The matcher could not be compiled beforehand; the end of {log}:\n{last_lines(log)}")
        return
    folder = _folder()
    for old in folder.glob("compiled-*"):
        old.unlink()
    _stamp(folder).touch()


def stop_compiling(child: Child | None) -> None:
    if child is not None:
        stop(child)


def _folder() -> Path:
    named = os.environ.get("MATCHER_CACHE")
    return private_folder(Path(named) if named else STATE / "matcher")


def _stamp(folder: Path) -> Path:
    """A file that is there when this very state of the sources is compiled."""
    total = hashlib.sha256()
    for path in sorted([*SOURCES.glob("*.py"), REQUIREMENTS / "base.txt"]):
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return folder / f"compiled-{total.hexdigest()[:16]}"
