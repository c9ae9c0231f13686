"""One number for the code that chunks are made by: when it changes, all are made again.

Rules, selectors, rows, calendars and the layout: a release that judges a patent otherwise must not
meet columns of the release before.
"""

import hashlib
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
# Where the facts of a request come from; data files lie among the rules.
SOURCES = (
    "businesses/rules",
    "businesses/selectors.py",
    "businesses/days_of_change.py",
    "financing/snapshot",
    "financing/match_rows.py",
    "financing/insurance_rows.py",
    "financing/kind_rows.py",
    "financing/matching/tables.py",
    "financing/matching/columns.py",
    "financing/matching/national/tables.py",
    "financing/matching/national/from_rows.py",
    "sipo_portal/offices/working_days.py",
)


@cache
def code_digest() -> str:
    """SHA-256 of the sources, the holiday calendar's version and the time zone."""
    hasher = hashlib.sha256()
    for source in SOURCES:
        path = ROOT / source
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                hasher.update(file.relative_to(ROOT).as_posix().encode())
                hasher.update(file.read_bytes())
    calendar = metadata.version("chinesecalendar")
    hasher.update(f"{calendar} {settings.TIME_ZONE} {sys.byteorder}".encode())
    return hasher.hexdigest()
