"""Vendored front-end files are the ones their manifest names."""

import hashlib
import json

from django.conf import settings

VENDOR = settings.BASE_DIR / "sipo_portal" / "static" / "vendor"


def test_hashes_of_vendored_files() -> None:
    packages = json.loads((VENDOR / "manifest.json").read_text())
    named = {}
    for package in packages:
        assert package["name"]
        assert package["version"]
        assert package["licence"]
        named |= {path: each["sha256"] for path, each in package["files"].items()}
    found = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert found == named


def test_no_stylesheet_loads_anything_from_outside() -> None:
    for path in (settings.BASE_DIR / "sipo_portal" / "static").rglob("*.css"):
        text = path.read_text()
        assert "@import" not in text, path
        assert "url(http" not in text, path
        assert "url(//" not in text, path
