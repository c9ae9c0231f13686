"""Who may import whom, and that the runner needs nothing but Python."""

import ast
import sys
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[2]


def test_import_contracts_hold() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_runner_imports_only_the_standard_library() -> None:
    allowed = sys.stdlib_module_names | {"runner"}
    foreign = {
        f"{path.name}: {name}"
        for path in [ROOT / "run.py", *(ROOT / "runner").glob("*.py")]
        for name in _imported(path)
        if name.split(".")[0] not in allowed or name.startswith("runner.inside")
    }
    assert not foreign


def test_run_py_can_refuse_an_old_python() -> None:
    # It must still parse there, or its sentence is never read.
    ast.parse((ROOT / "run.py").read_text("utf-8"), feature_version=(3, 5))


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names
