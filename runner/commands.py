"""The command line of `run.py`: reads the arguments and calls the module that does the work."""

import argparse
import os
import signal
import subprocess
import sys
from types import FrameType

from runner import checking, demo, environment, managing, testing
from runner.places import PYTHON, REQUIREMENTS, ROOT, VENV, StartError
from runner.preparation import settings_without_servers

PASSED_ON = {
    "test": "run the tests; further arguments go to pytest",
    "manage": "run a management command, e.g. `manage demo_accounts --json`",
    "bench": "run a benchmark by name; without a name, list them",
}


def main(arguments: list[str]) -> int:
    if os.name != "posix":
        print("This needs Linux or macOS (on Windows: WSL).", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _dispatch(arguments)
    except StartError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """SIGTERM ends a command as Ctrl-C does, servers included."""
    raise KeyboardInterrupt


def _dispatch(arguments: list[str]) -> int:
    # These hand everything on, options included, so argparse must not see it.
    match arguments:
        case ["test", *rest]:
            return testing.run(rest)
        case ["manage", *rest]:
            return managing.manage(rest)
        case ["bench", *rest]:
            return managing.bench(rest)
    options = _parser().parse_args(arguments)
    match options.command:
        case "demo":
            return demo.run(port=options.port, fresh=options.fresh)
        case "check":
            return checking.run(options.name)
        case "messages":
            environment.ensure("demo")
            return _inside(str(PYTHON), "-m", "runner.inside.catalogues", "update")
        case "format":
            environment.ensure("test")
            ruff = str(VENV / "bin" / "ruff")
            return _inside(ruff, "check", "--fix", ".") | _inside(ruff, "format", ".")
        case _:
            return _compile_requirements()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run.py", description="Start, test and check the project."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    start = commands.add_parser("demo", help="start everything with demo data; Ctrl-C ends it")
    start.add_argument("--port", type=_port, help="port of the web server (default: from 8000 on)")
    start.add_argument("--fresh", action="store_true", help="drop the demo's data first")
    for name, text in PASSED_ON.items():
        commands.add_parser(name, help=text, add_help=False)
    check = commands.add_parser("check", help="format, lint, types, contracts, templates, …")
    check.add_argument("name", nargs="*", help="only these checks")
    commands.add_parser("messages", help="developers: bring the .po files in step with the code")
    commands.add_parser("format", help="developers: format and fix what ruff can")
    commands.add_parser("requirements", help="developers: compile requirements/*.txt again")
    return parser


def _port(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 0 < number < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 1 to 65535")
    return number


def _inside(*command: str) -> int:
    return subprocess.run(command, env=settings_without_servers(), cwd=ROOT).returncode


def _compile_requirements() -> int:
    environment.ensure("demo")
    status = 0
    for source in sorted(REQUIREMENTS.glob("*.in")):
        status |= _inside(
            *(str(VENV / "bin" / "uv"), "pip", "compile", "--quiet", "--universal"),
            *(
                "--generate-hashes",
                "--no-emit-index-url",
                "--no-header",
                "--python-version",
                "3.11",
            ),
            *(f"requirements/{source.name}", "-o", f"requirements/{source.stem}.txt"),
        )
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
