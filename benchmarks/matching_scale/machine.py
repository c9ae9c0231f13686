"""The machine and the versions a benchmark ran with; every report has them."""

import os
import platform
from importlib import metadata
from typing import Any

PACKAGES = ("numpy", "numba", "polars", "duckdb", "ortools", "matching", "psycopg")


def machine() -> dict[str, Any]:
    """Cores, load, system and versions of what is measured."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "cores": os.cpu_count(),
        "load": [round(one, 2) for one in os.getloadavg()],
        "python": platform.python_version(),
        "system": platform.platform(),
        "versions": versions,
    }
