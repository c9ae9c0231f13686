"""`run.py check`: format, lint, types, contracts, templates, migrations, deployment."""

import os
import secrets
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from runner import environment, tracked_files
from runner.places import PYTHON, ROOT, VENV, say
from runner.preparation import settings_without_servers


@dataclass(frozen=True)
class Outcome:
    """What one check said."""

    name: str
    passed: bool
    seconds: float
    output: str


def run(names: list[str]) -> int:
    """Runs all checks (or those named), shows the output of what failed; 1 when any did."""
    environment.ensure("test")
    checks = _checks()
    unknown = set(names) - set(checks)
    if unknown:
        say(f"No such check: {', '.join(sorted(unknown))}. There are: {', '.join(checks)}.")
        return 2
    chosen = {name: check for name, check in checks.items() if not names or name in names}
    with ThreadPoolExecutor(max_workers=2) as pool:
        outcomes = list(pool.map(lambda item: _timed(*item), chosen.items()))
    failed = [outcome for outcome in outcomes if not outcome.passed]
    for outcome in failed:
        say(f"\n── {outcome.name} " + "─" * max(0, 76 - len(outcome.name)))
        say(outcome.output.strip()[-12_000:])
    say()
    for outcome in outcomes:
        verdict = "ok" if outcome.passed else "FAILED"
        say(f"  {verdict:6}  {outcome.seconds:5.1f} s  {outcome.name}")
    say(f"\n{len(outcomes) - len(failed)} of {len(outcomes)} checks passed.")
    return 1 if failed else 0


def _checks() -> dict[str, Callable[[], tuple[bool, str]]]:
    """Name and action, the slowest first so that two processors are used well."""
    plain = settings_without_servers()
    # Without a server Django only warns that it cannot compare history; the graph is what counts.
    unconnected = settings_without_servers(PYTHONWARNINGS="ignore:Got an error checking")
    # As an installation behind TLS would set them.
    production = settings_without_servers(
        SECURE="1", SECRET_KEY=secrets.token_urlsafe(64), ALLOWED_HOSTS="portal.example"
    )
    manage = (str(PYTHON), "manage.py")
    return {
        "types": _command(_tool("mypy"), ".", values=plain),
        "templates": _command(_tool("djlint"), "templates", "--lint", "--quiet", values=plain),
        "imports": _command(_tool("lint-imports"), "--no-cache", values=plain),
        "format": _command(_tool("ruff"), "format", "--check", ".", values=plain),
        "lint": _command(_tool("ruff"), "check", ".", values=plain),
        "migrations": _command(
            *manage, "makemigrations", "--check", "--dry-run", values=unconnected
        ),
        "deployment": _command(
            *manage, "check", "--deploy", "--fail-level", "WARNING", values=production
        ),
        "catalogues": _command(
            str(PYTHON), "-m", "runner.inside.catalogues", "check", values=plain
        ),
        "requirements": _command(
            str(PYTHON), "-m", "runner.inside.requirement_files", values=plain
        ),
        "files": _tracked,
    }


def _tool(name: str) -> str:
    return str(VENV / "bin" / name)


def _command(*command: str, values: dict[str, str]) -> Callable[[], tuple[bool, str]]:
    def action() -> tuple[bool, str]:
        done = subprocess.run(
            command,
            env=values | {"NO_COLOR": "1", "COLUMNS": os.environ.get("COLUMNS", "120")},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode == 0, done.stdout

    return action


def _tracked() -> tuple[bool, str]:
    found = tracked_files.faults()
    return not found, "\n".join(found)


def _timed(name: str, action: Callable[[], tuple[bool, str]]) -> Outcome:
    started = time.monotonic()
    passed, output = action()
    return Outcome(name, passed, time.monotonic() - started, output)
