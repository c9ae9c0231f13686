#!/usr/bin/env python3
"""Starts, tests and checks the project with nothing but Python: `python3 run.py --help`."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - older interpreters shall read this sentence
    sys.exit(
        # No f-string: interpreters older than that shall read this, too.
        "This project needs Python 3.11 or later; this is %d.%d (%s). "  # noqa: UP031
        "Start it with a later one, for example: python3.11 run.py demo"
        % (sys.version_info[0], sys.version_info[1], sys.executable)
    )

from runner.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
