"""Every file has one subject: named for it, described in its first line, and short."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("sipo_portal", "businesses", "financing", "runner", "tests")
VAGUE = {"utils", "helpers", "common", "misc", "manager", "managers"}
LONGEST = 450  # lines; two subjects long before that


def _modules() -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts and "static" not in path.parts:
                yield path


def test_no_module_with_a_vague_name() -> None:
    vague = [path for path in _modules() if {*path.with_suffix("").parts[-2:]} & VAGUE]
    assert not vague


def test_files_stay_short() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): count
        for path in _modules()
        if (count := len(path.read_text("utf-8").splitlines())) > LONGEST
    }
    assert not long


def test_every_module_says_what_it_holds() -> None:
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in _modules()
        if path.name != "apps.py"
        and (text := path.read_text("utf-8")).strip()
        and ast.get_docstring(ast.parse(text)) is None
    ]
    assert not silent
