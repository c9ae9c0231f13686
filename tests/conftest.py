"""Loads every fixture plugin of tests/plugins; a new file there is picked up by itself."""

from pathlib import Path

pytest_plugins = [
    f"tests.plugins.{path.stem}"
    for path in sorted((Path(__file__).parent / "plugins").glob("[a-z]*.py"))
]
