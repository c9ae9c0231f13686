"""`run.py test`: pytest on throw-away servers."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from glob import glob

from runner import environment
from runner.matcher import await_compiled, start_compiling, stop_compiling
from runner.places import PYTHON, ROOT, in_ci, say
from runner.preparation import application_variables, compile_catalogues
from runner.processes import run_in_front
from runner.servers import Servers, throw_away

# Debian's own Chromium without a window needs half of the time for a page; not all have it.
CHROMIUMS = ("chromium-headless-shell", "chromium", "google-chrome")
CHINESE_FONTS = "/usr/share/fonts/**/NotoSansCJK*"


def run(arguments: list[str]) -> int:
    """Returns pytest's exit status."""
    environment.ensure("test")
    browser = _ensure_browser()
    compiling = start_compiling()
    compile_catalogues()
    installation = throw_away("test")
    servers = Servers(installation, throw_away=True)
    try:
        say("Starting PostgreSQL and Valkey for the tests …")
        addresses = servers.start()
        values = application_variables(installation, addresses, owner=True)
        await_compiled(compiling)
        # Each process begins with half of the tests; who is done takes over from the other.
        parallel = [] if _parallel_given(arguments) else ["-n", "2", "--dist", "worksteal"]
        status = run_in_front([str(PYTHON), "-m", "pytest", *parallel, *arguments], values, ROOT)
    finally:
        stop_compiling(compiling)
        servers.stop()
        installation.remove()
    if not browser:
        say(
            "Chromium is not installed, so the browser tests "
            + ("failed" if in_ci() else "were skipped")
            + " (as root: apt-get install chromium fonts-noto-cjk)."
        )
    return status


def _parallel_given(arguments: list[str]) -> bool:
    """Whether the arguments say how many processes, or ask for something that needs one."""
    return any(
        one.startswith(("-n", "--numprocesses", "--pdb", "--dist", "--collect-only", "--co"))
        or one in {"no:xdist", "-pno:xdist", "--fixtures", "--markers", "-s", "--trace"}
        for one in arguments
    )


def _ensure_browser() -> bool:
    """Whether Chromium is there; as root on Debian it is installed with a Chinese font."""
    wanted: list[tuple[str, ...]] = []
    if not _has_chromium():
        wanted.append(CHROMIUMS[:2])
    if not glob(CHINESE_FONTS, recursive=True):
        wanted.append(("fonts-noto-cjk",))
    if wanted and os.geteuid() == 0 and shutil.which("apt-get"):
        _apt_get("update")
        for packages in wanted:
            _install_one_of(packages)
    return _has_chromium()


def _install_one_of(packages: Sequence[str]) -> None:
    """The first package that this system has."""
    for package in packages:
        say(f"Installing {package} for the browser tests …")
        trouble = _apt_get("install", "-y", "--no-install-recommends", package)
        if not trouble:
            return
        say(f"That failed: {trouble[-500:]}")


def _apt_get(*arguments: str) -> str:
    """What it complained of; empty when it succeeded."""
    done = subprocess.run(
        ["apt-get", *arguments],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        capture_output=True,
        text=True,
    )
    return (done.stderr.strip() or f"exit status {done.returncode}") if done.returncode else ""


def _has_chromium() -> bool:
    return bool(os.environ.get("CHROMIUM")) or any(map(shutil.which, CHROMIUMS))
