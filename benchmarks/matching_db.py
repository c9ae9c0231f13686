"""`run.py bench matching-db --requests N --offers M [--json]`: a whole run, rows to rows.

The generator's rows are loaded into a database of its own on the running server (not timed), then
runs as the nightly one are timed: read the changed requests and the columns, match, write the
proposals. Between two runs some requests change, as they would in a day. Progress goes to stderr,
results to stdout.
"""

import argparse
import json
import os
import sys
from importlib import import_module
from urllib.parse import urlsplit, urlunsplit

import django
import psycopg
from psycopg import sql

DATABASE = "sipo_bench_matching"


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    server = os.environ["DATABASE_URL"]
    own = urlunsplit(urlsplit(server)._replace(path=f"/{options.database}"))
    if not options.reuse:
        _drop(server, options.database)
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {}").format(sql.Identifier(options.database))
            )
    try:
        # Django reads the address when it is set up, so what needs it is imported after.
        os.environ["DATABASE_URL"] = own
        os.environ["DATABASE_APP_ROLE"] = ""
        django.setup()
        timed = import_module("benchmarks.matching_scale.runs_in_database")
        report = timed.report(options)
    finally:
        if not (options.keep or options.reuse):
            _drop(server, options.database)
    print(json.dumps(report, indent=None if options.json else 1))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.py bench matching-db")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--offers", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3, help="timed runs; medians are given")
    parser.add_argument(
        "--changed", type=float, default=1.0, help="per cent of requests changed before each run"
    )
    parser.add_argument("--keep", action="store_true", help="keep the database afterwards")
    parser.add_argument("--reuse", action="store_true", help="take the database kept before")
    parser.add_argument(
        "--prepared",
        action="store_true",
        help="columns from the generator instead of reading all records once (checked by sample)",
    )
    parser.add_argument("--database", default=DATABASE, help="name of the database of its own")
    parser.add_argument("--json", action="store_true", help="one line")
    return parser


def _drop(server: str, database: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
