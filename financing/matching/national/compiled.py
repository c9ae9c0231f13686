"""Numba's compiler as a typed decorator: machine code kept on disk, no lock while it runs.

`warm.py` (set-up) compiles once; a worker only loads. Threads are ours (`threads.py`): every
compiled function works on the lines it is given and shares nothing it writes.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np

F = TypeVar("F", bound=Callable[..., object])

signed = cast(Callable[[Any], int], np.int64)
"""64 bits with a sign, whatever went in: small unsigned fields must not meet others as floats."""

PACKAGE = Path(__file__).resolve().parent


def _cache_folder() -> Path:
    """A folder for this very state of the package's files.

    Numba looks at a function's own file only: after a change in what it calls it would load what no
    longer fits. MATCHER_CACHE names another place than the checkout's `.state`.
    """
    hasher = hashlib.sha256()
    for path in sorted(PACKAGE.glob("*.py")):
        hasher.update(path.name.encode() + b"\0" + path.read_bytes())
    named = os.environ.get("MATCHER_CACHE")
    base = Path(named) if named else PACKAGE.parents[2] / ".state" / "matcher"
    folder = base / hasher.hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    except OSError:
        pass
    return Path(tempfile.gettempdir()) / f"matcher-{os.getuid()}" / hasher.hexdigest()[:16]


CACHE_FOLDER = _cache_folder()
numba.config.CACHE_DIR = str(CACHE_FOLDER)


def compiled(function: F) -> F:
    """The function as machine code; same arguments, integers of 64 bits that wrap."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def bare(function: F) -> F:
    """Compiled without the counting of references: three times as fast in a walk.

    Each array handed to an inner function is otherwise counted in and out by an atomic operation.
    Such a function must not make arrays; what it needs is handed to it.
    """
    made = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)(function)
    return cast(F, made)


def inlined(function: F) -> F:
    """Bare, and compiled into its callers: a call inside a walk costs more than what it does."""
    made = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False, forceinline=True)(
        function
    )
    return cast(F, made)
