"""The folder of real input beside the project, and the rule for tests that need it."""

import os
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips tests marked `shared_data`, or using its fixture, where the folder is absent."""
    if SHARED_DATA.is_dir() or os.environ.get("SHARED_DATA_DIR"):
        return
    absent = pytest.mark.skip(reason="the folder ../shared/data is not here")
    for item in items:
        if item.get_closest_marker("shared_data") or "shared_data" in getattr(
            item, "fixturenames", ()
        ):
            item.add_marker(absent)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder ../shared/data (or the one `SHARED_DATA_DIR` names)."""
    return Path(os.environ.get("SHARED_DATA_DIR", SHARED_DATA))
