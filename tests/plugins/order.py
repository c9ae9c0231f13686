"""The order of the tests, so that two processes end together, and a collector that rarely looks."""

import gc

import pytest

# Browser walks take longest, drills mostly wait: begun first, with many short tests to come after.
FIRST = ("browser", "drill")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Within each kind the order stays; no test relies on rows of a migration that others flush."""
    items.sort(key=lambda item: [not item.get_closest_marker(name) for name in FIRST])


def pytest_collection_finish() -> None:
    """What is loaded by now stays until the end: not looked through for garbage time and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
