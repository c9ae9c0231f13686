"""The environment beside run.py: made, filled from hash-pinned files, left alone when current."""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time

from runner.places import PYTHON, REQUIREMENTS, ROOT, STATE, VENV, StartError, say

# Each set and the sets that contain it, so that `demo` after `test` installs nothing.
CONTAINED_IN = {
    "demo": ("demo", "test", "bench"),
    "test": ("test",),
    "bench": ("bench",),
}
STAMPS = VENV / ".installed-sets.json"


def ensure(name: str) -> None:
    """Makes the environment hold requirements/<name>.txt; StartError when it cannot."""
    STATE.mkdir(mode=0o711, exist_ok=True)
    with (STATE / "environment.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        version = _environment_version()
        if version is not None:
            stamps = _read_stamps()
            if any(stamps.get(one) == _stamp(one, version) for one in CONTAINED_IN[name]):
                return
        else:
            _make()
            version = _environment_version()
            if version is None:
                raise StartError(
                    f"The environment in {VENV} does not work; delete it and try again."
                )
        started = time.monotonic()
        say(f"Installing the packages of requirements/{name}.txt …")
        _install(name)
        stamps = _read_stamps() | {name: _stamp(name, version)}
        STAMPS.write_text(json.dumps(stamps), "utf-8")
        say(f"Installed in {time.monotonic() - started:.0f} s.")


def variables(**more: str) -> dict[str, str]:
    """The environment of a program inside `.venv`, with `more` on top."""
    values = {key: value for key, value in os.environ.items() if key != "PYTHONHOME"}
    values.update(
        VIRTUAL_ENV=str(VENV),
        PATH=f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        PYTHONUNBUFFERED="1",
        DJANGO_SETTINGS_MODULE="sipo_portal.settings",
    )
    values.update(more)
    return values


def _environment_version() -> str | None:
    """Version of the environment's Python, None when there is none that answers."""
    if not PYTHON.exists():
        return None
    try:
        answer = subprocess.run(
            [PYTHON, "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"],
            capture_output=True,
            text=True,
            timeout=60,
        )
    except OSError:
        return None
    version = answer.stdout.strip()
    usable = answer.returncode == 0 and tuple(map(int, version.split("."))) >= (3, 11)
    return version if usable else None


def _make() -> None:
    say(f"Making the environment in {VENV} …")
    made = _quiet(sys.executable, "-m", "venv", "--clear", str(VENV))
    if made.returncode == 0:
        return
    # Debian keeps ensurepip in a package of its own; the machine's pip can fill the gap.
    bare = _quiet(sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV))
    if bare.returncode or _quiet(sys.executable, "-m", "pip", "--version").returncode:
        raise StartError(
            f"{sys.executable} cannot make virtual environments. On Debian or Ubuntu: "
            "apt-get install python3-venv, then run the same command again.\n"
            + (made.stdout + made.stderr).strip()
        )


def _install(name: str) -> None:
    wanted = str(REQUIREMENTS / f"{name}.txt")
    if _has_uv():
        # uv trusts the certificates it brings; behind a proxy only the machine's may do.
        for trust in ((), ("--system-certs",)):
            by_uv = _quiet(
                str(VENV / "bin" / "uv"),
                *("pip", "install", "--python", str(PYTHON), "--compile-bytecode", *trust),
                *("--require-hashes", "-r", wanted),
            )
            if by_uv.returncode == 0:
                return
            reason = by_uv.stderr.strip()
        say(f"uv could not install them, trying pip. uv said:\n{reason[-600:]}")
    else:
        reason = "uv could not be installed."
    by_pip = _quiet(*_pip(), "install", "--require-hashes", "-r", wanted)
    if by_pip.returncode:
        raise StartError(
            f"The packages of {wanted} could not be installed; is the package registry reachable?"
            f"\nuv said:\n{reason[-2000:]}\npip said:\n{by_pip.stderr.strip()[-2000:]}"
        )


def _has_uv() -> bool:
    """Installs the pinned uv into the environment; False when that fails."""
    pinned = REQUIREMENTS / "uv.txt"
    installed = _quiet(str(VENV / "bin" / "uv"), "--version")
    version = pinned.read_text("utf-8").split()[0].removeprefix("uv==")
    if installed.returncode == 0 and installed.stdout.split()[1:2] == [version]:
        return True
    got = _quiet(*_pip(), "install", "--quiet", "--require-hashes", "-r", str(pinned))
    return got.returncode == 0


def _pip() -> tuple[str, ...]:
    if (VENV / "bin" / "pip").exists():
        return (str(PYTHON), "-m", "pip")
    return (sys.executable, "-m", "pip", "--python", str(PYTHON))


def _quiet(*command: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


def _stamp(name: str, version: str) -> str:
    return hashlib.sha256(
        (REQUIREMENTS / f"{name}.txt").read_bytes() + version.encode()
    ).hexdigest()


def _read_stamps() -> dict[str, str]:
    try:
        stamps: dict[str, str] = json.loads(STAMPS.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return stamps
