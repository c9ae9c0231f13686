"""What `run.py test` installs for itself where it may."""

import subprocess
from typing import Any

import pytest

from runner import testing


@pytest.mark.parametrize(
    ("missing", "tried"),
    [
        ([], ["chromium-headless-shell"]),
        (["chromium-headless-shell"], ["chromium-headless-shell", "chromium"]),
    ],
)
def test_the_small_chromium_is_installed_or_the_whole_one(
    monkeypatch: pytest.MonkeyPatch, missing: list[str], tried: list[str]
) -> None:
    installed: list[str] = []

    def run(command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        *_rest, package = command
        if "install" in command:
            installed.append(package)
        return subprocess.CompletedProcess(command, 100 if package in missing else 0, "", "")

    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(testing.subprocess, "run", run)
    monkeypatch.setattr(testing.shutil, "which", lambda name: name == "apt-get")
    monkeypatch.setattr(testing.os, "geteuid", lambda: 0)
    monkeypatch.setattr(testing, "glob", lambda *_where, **_how: ["NotoSansCJK"])

    assert not testing._ensure_browser()

    assert installed == tried
