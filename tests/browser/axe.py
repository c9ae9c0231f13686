"""What axe-core, kept in vendor/, finds wrong on the page a browser shows."""

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

VENDOR = Path(__file__).parent / "vendor"
SOURCE = (VENDOR / "axe-core" / "axe.min.js").read_text()
# `target-size` is off by default; the other rules are axe's own choice.
OPTIONS: dict[str, Any] = {
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}


def serious(page: Page) -> list[str]:
    """Critical and serious findings: rule, place and why, one line each.

    The engine is handed over by the debugger, which our content security policy does not bind.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(f"() => {{ {SOURCE} }}")
    found = page.evaluate(f"axe.run(document, {json.dumps(OPTIONS)})")
    return [
        f"{each['id']} ({each['impact']}) {node['target'][0]}: {node['failureSummary']}"
        for each in found["violations"]
        if each["impact"] in ("critical", "serious")
        for node in each["nodes"]
    ]
