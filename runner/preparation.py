"""What must be true before the application runs: variables, tables, catalogues, static files."""

import hashlib
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from runner.environment import variables
from runner.installation import Installation, fingerprint_done, fingerprint_matches
from runner.places import PYTHON, REQUIREMENTS, ROOT, StartError, say
from runner.servers import Addresses

PACKAGES = ("sipo_portal", "businesses", "financing")


def application_variables(
    installation: Installation, addresses: Addresses, *, owner: bool = False, **more: str
) -> dict[str, str]:
    """Settings of one installation; with `owner` the role that may change tables."""
    return variables(
        DATABASE_URL=addresses.owner if owner else addresses.application,
        DATABASE_APP_ROLE=addresses.application_role,
        REDIS_URL=addresses.broker,
        SECRET_KEY=os.environ.get("SECRET_KEY") or installation.secrets().secret_key,
        DEBUG=os.environ.get("DEBUG", "0"),
        SECURE="0",
        DEMO_DATA="1",
        STATE_DIR=str(installation.folder),
        **more,
    )


def manage(values: dict[str, str], *arguments: str) -> str:
    """Runs one management command quietly and returns its output; StartError when it fails."""
    done = subprocess.run(
        [PYTHON, "manage.py", *arguments], env=values, cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        output = (done.stdout + done.stderr).strip()[-6000:]
        raise StartError(f"`manage.py {' '.join(arguments)}` failed:\n{output}")
    return done.stdout


def migrate(installation: Installation, addresses: Addresses) -> None:
    """Migrates as the owner role when migrations, grants or the database changed."""
    sources = [path for package in PACKAGES for path in (ROOT / package).rglob("migrations/*.py")]
    sources += [*(ROOT / "sipo_portal" / "audit").glob("*.py"), *ROOT.glob("*/apps.py")]
    value = _fingerprint([*sources, REQUIREMENTS / "base.txt"], os.environ.get("DATABASE_URL", ""))
    if fingerprint_matches(installation, "migrate", value):
        return
    say("Migrating the database …")
    manage(application_variables(installation, addresses, owner=True), "migrate", "--noinput")
    fingerprint_done(installation, "migrate", value)


def collect_static(installation: Installation, values: dict[str, str]) -> None:
    """Collects static files when one of them changed."""
    sources = [
        path
        for package in PACKAGES
        for path in (ROOT / package).rglob("static/**/*")
        if path.is_file()
    ]
    value = _fingerprint([*sources, REQUIREMENTS / "base.txt"], "")
    collected = ROOT / "staticfiles" / "staticfiles.json"
    if collected.exists() and fingerprint_matches(installation, "static", value):
        return
    say("Collecting static files …")
    manage(values, "collectstatic", "--noinput", "--clear", "--verbosity", "0")
    fingerprint_done(installation, "static", value)


def compile_catalogues() -> None:
    """Translations for Django, made from the .po files by Babel where they are newer."""
    sources = (ROOT / "sipo_portal" / "locale").glob("*/LC_MESSAGES/django.po")
    if all(_newer(source.with_suffix(".mo"), source) for source in sources):
        return
    done = subprocess.run(
        [PYTHON, "-m", "runner.inside.catalogues", "compile"],
        env=settings_without_servers(),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise StartError(f"The message catalogues could not be compiled:\n{done.stderr.strip()}")


def settings_without_servers(**more: str) -> dict[str, str]:
    """Enough settings for commands that touch neither database nor broker."""
    values = {
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": "only-for-commands-without-servers-" + "0123456789abcdef" * 2,
        "DEBUG": "0",
        "SECURE": "0",
        "DEMO_DATA": "0",
        "DATABASE_APP_ROLE": "",
    }
    return variables(**(values | more))


def _newer(target: Path, source: Path) -> bool:
    return target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns


def _fingerprint(files: Iterable[Path], text: str) -> str:
    total = hashlib.sha256(text.encode())
    for path in sorted(set(files)):
        total.update(path.as_posix().encode())
        total.update(path.read_bytes())
    return total.hexdigest()
