"""What must not be in git is found by the check, and is not in git."""

import subprocess
from pathlib import Path

import pytest

from runner import tracked_files


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("see https://py" + "pi.org/simple", "registry host"),
        ("/ho" + "me/someone/project", "path of one machine"),
        ("<" * 7 + " HEAD", "unresolved merge"),
    ],
)
def test_forbidden_text_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, what: str
) -> None:
    monkeypatch.setattr(tracked_files, "ROOT", tmp_path)
    (tmp_path / "note.md").write_text(f"first line\n{text}\n")
    (tmp_path / "fine.md").write_text("https://example.com/home/page, ../work/x\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    (fault,) = tracked_files.faults()
    assert fault.startswith(f"note.md:2: {what}")


def test_nothing_forbidden_is_tracked() -> None:
    assert tracked_files.faults() == []
