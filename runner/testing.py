"""`run.py test`: pytest on throw-away servers."""

import os
import shutil
import subprocess
from glob import glob

from runner import environment
from runner.matcher import await_compiled, start_compiling, stop_compiling
from runner.places import PYTHON, ROOT, in_ci, say
from runner.preparation import application_variables, compile_catalogues
from runner.processes import run_in_front
from runner.servers import Servers, throw_away

CHROMIUMS = ("chromium", "google-chrome")
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
    wanted = []
    if not _has_chromium():
        wanted.append("chromium")
    if not glob(CHINESE_FONTS, recursive=True):
        wanted.append("fonts-noto-cjk")
    if wanted and os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"Installing {' and '.join(wanted)} for the browser tests …")
        quiet = {"capture_output": True, "text": True}
        values = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update"], env=values, check=False, **quiet)  # type: ignore[call-overload]
        done = subprocess.run(  # type: ignore[call-overload]
            ["apt-get", "install", "-y", "--no-install-recommends", *wanted],
            env=values,
            check=False,
            **quiet,
        )
        if done.returncode:
            say(f"That failed: {done.stderr.strip()[-500:]}")
    return _has_chromium()


def _has_chromium() -> bool:
    return bool(os.environ.get("CHROMIUM")) or any(map(shutil.which, CHROMIUMS))
