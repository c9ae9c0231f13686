"""The engine of the accessibility tests is the file its manifest names."""

import hashlib
import json

from tests.browser.axe import VENDOR


def test_hashes_of_vendored_files() -> None:
    named = {
        path: each["sha256"]
        for package in json.loads((VENDOR / "manifest.json").read_text())
        for path, each in package["files"].items()
    }
    found = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert found == named
