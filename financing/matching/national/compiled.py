"""Numba's compiler as a typed decorator: machine code kept on disk, no lock while it runs.

`warm.py` (set-up) compiles once; a worker only loads. Threads are ours (`threads.py`): every
compiled function works on the lines it is given and shares nothing it writes.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np

F = TypeVar("F", bound=Callable[..., object])

signed = cast(Callable[[Any], int], np.int64)
"""64 bits with a sign, whatever went in: small unsigned fields must not meet others as floats."""

PACKAGE = Path(__file__).resolve().parent


IMPORTED = re.compile(rb"^from financing\.matching\.national\.(\w+) import", re.MULTILINE)


def _base_folder() -> Path:
    """MATCHER_CACHE names another place than the checkout's `.state`."""
    named = os.environ.get("MATCHER_CACHE")
    base = Path(named) if named else PACKAGE.parents[2] / ".state" / "matcher"
    try:
        base.mkdir(parents=True, exist_ok=True)
        if os.access(base, os.W_OK | os.X_OK):
            return base
    except OSError:
        pass
    return Path(tempfile.gettempdir()) / f"matcher-{os.getuid()}"


CACHE_FOLDER = _base_folder()


@cache
def _imported(name: str) -> frozenset[str]:
    """The modules of this package that a module of it imports, and itself."""
    found, waiting = {name}, [name]
    while waiting:
        text = (PACKAGE / f"{waiting.pop()}.py").read_bytes()
        new = {match.decode() for match in IMPORTED.findall(text)} - found
        found |= new
        waiting += new
    return frozenset(found)


@cache
def _folder_of(name: str) -> Path:
    """A folder for this very state of a module and of what it imports.

    Numba looks at a function's own file only: after a change in what it calls it would load what no
    longer fits.
    """
    hasher = hashlib.sha256()
    for each in sorted(_imported(name)):
        hasher.update(each.encode() + b"\0" + (PACKAGE / f"{each}.py").read_bytes())
    return CACHE_FOLDER / f"{name}-{hasher.hexdigest()[:16]}"


def _njit(function: F, **options: Any) -> F:
    # Read by Numba when the function is declared; its stubs leave these names out.
    numba.config.CACHE_DIR = str(  # type: ignore[attr-defined]
        _folder_of(function.__module__.rpartition(".")[2])
    )
    made = numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function)
    return cast(F, made)


def compiled(function: F) -> F:
    """The function as machine code; same arguments, integers of 64 bits that wrap."""
    return _njit(function)


def bare(function: F) -> F:
    """Compiled without the counting of references: three times as fast in a walk.

    Each array handed to an inner function is otherwise counted in and out by an atomic operation.
    Such a function must not make arrays; what it needs is handed to it.
    """
    return _njit(function, _nrt=False)


def inlined(function: F) -> F:
    """Bare, and compiled into its callers: a call inside a walk costs more than what it does."""
    return _njit(function, _nrt=False, forceinline=True)
