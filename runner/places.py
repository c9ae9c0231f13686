"""Where things are, how the runner speaks, the one error it ends with; used by all of it."""

import os
import sys
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STATE = ROOT / ".state"
REQUIREMENTS = ROOT / "requirements"

_voice: TextIO = sys.stdout


class StartError(Exception):
    """Something the reader can mend; the text is one plain sentence saying what and how."""


def speak_on(stream: TextIO) -> None:
    """Where `say` writes: `manage` moves it aside so that a command's output stays its own."""
    global _voice
    _voice = stream


def say(line: str = "") -> None:
    print(line, file=_voice, flush=True)


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def private_folder(path: Path, mode: int = 0o700) -> Path:
    """Makes the folder with its parents and gives it `mode` whatever the umask."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    return path


def write_private(path: Path, text: str) -> None:
    """Replaces the file at once; nobody but its owner can read it at any moment."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(fresh, path)


def last_lines(path: Path, count: int = 15) -> str:
    """The end of a log file, indented, for showing beside an error."""
    try:
        lines = path.read_text("utf-8", errors="replace").splitlines()[-count:]
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in lines)
