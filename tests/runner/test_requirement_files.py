"""The check that compiled requirement files follow their sources."""

from pathlib import Path

import pytest

from runner.inside import requirement_files

PINNED = "django==5.2.1 \\\n    --hash=sha256:00\n    # via -r requirements/base.in\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(requirement_files, "FOLDER", tmp_path)
    (tmp_path / "base.in").write_text("django>=5.2,<5.3\n")
    (tmp_path / "base.txt").write_text(PINNED)
    return tmp_path


def test_files_in_step_have_no_fault(folder: Path) -> None:
    assert requirement_files.faults() == []


def test_files_of_the_project_are_in_step() -> None:
    assert requirement_files.faults() == []


@pytest.mark.parametrize(
    ("source", "compiled", "word"),
    [
        ("django>=5.2,<5.3\nredis\n", PINNED, "lacks redis"),
        ("django>=6\n", PINNED, "is not >=6"),
        ("", PINNED, "no longer in"),
        ("django\n", "django==5.2.1\n    # via -r requirements/base.in\n", "has no hash"),
    ],
)
def test_a_file_out_of_step_is_found(folder: Path, source: str, compiled: str, word: str) -> None:
    (folder / "base.in").write_text(source)
    (folder / "base.txt").write_text(compiled)
    assert any(word in fault for fault in requirement_files.faults())
