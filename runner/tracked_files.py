"""Looks through every file in git for what must not be there; run by `check`."""

import re
import subprocess
from pathlib import Path

from runner.places import ROOT

# Vendored front-end files keep their own text.
EXEMPT = ("sipo_portal/static/vendor/",)
# Put together from pieces, so that this file does not find itself.
REGISTRIES = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry" + ".npmjs",
    "registry" + ".yarnpkg",
)
PLACES = ("/wo" + "rk/", "/ro" + "ot/", "/op" + "t/pypi", "/ho" + "me/[a-z]", "/Us" + "ers/[a-z]")
PATTERNS = {
    "registry host": re.compile("|".join(map(re.escape, REGISTRIES)), re.I),
    "path of one machine": re.compile(r"(?<![\w.:/-])(?:" + "|".join(PLACES) + ")"),
    "private key": re.compile("-----BEGIN [A-Z ]*PRIV" + "ATE KEY-----"),
    "unresolved merge": re.compile(r"^(?:<{7} |>{7} )", re.M),
}
GENERATED = re.compile(r"\.(?:mo|pyc|sqlite3)$|(?:^|/)(?:staticfiles|\.state|\.venv)/")


def tracked() -> list[Path]:
    """Files git knows, relative to the project; none outside a clone."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    return [Path(name) for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def faults() -> list[str]:
    """One line per finding: file, line, what."""
    found: list[str] = []
    for path in tracked():
        name = path.as_posix()
        if GENERATED.search(name):
            found.append(f"{name}: a generated file")
        if name.startswith(EXEMPT):
            continue
        try:
            text = (ROOT / path).read_text("utf-8")
        except UnicodeDecodeError:
            continue
        for what, pattern in PATTERNS.items():
            for match in pattern.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{name}:{line}: {what} ({match[0].strip()})")
    return found
