"""Makes the owner and the application role and the database; run by `runner.servers` at each start.

The owner migrates and may create databases (tests do); the application role reads and writes
rows and is granted no more than the applications grant it after migrating.
"""

import os

import psycopg
from psycopg import sql


def main() -> None:
    database, owner, application = (
        os.environ[name] for name in ("DATABASE", "OWNER", "APPLICATION")
    )
    with psycopg.connect(os.environ["SUPERUSER_URL"], autocommit=True) as connection:
        _role(connection, owner, os.environ["OWNER_PASSWORD"], "CREATEDB")
        _role(connection, application, os.environ["APPLICATION_PASSWORD"], "NOCREATEDB")
        # The owner may act as the application, which tests of its limits do.
        connection.execute(
            sql.SQL("GRANT {} TO {}").format(sql.Identifier(application), sql.Identifier(owner))
        )
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
        if found.fetchone() is None:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(database), sql.Identifier(owner)
                )
            )
        connection.execute(
            sql.SQL(
                "REVOKE ALL ON DATABASE {0} FROM PUBLIC; GRANT CONNECT ON DATABASE {0} TO {1}"
            ).format(sql.Identifier(database), sql.Identifier(application))
        )


def _role(connection: psycopg.Connection, name: str, password: str, right: str) -> None:
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEROLE {} PASSWORD {}").format(
            sql.SQL("ALTER" if found else "CREATE"),
            sql.Identifier(name),
            sql.SQL(right),
            sql.Literal(password),
        )
    )


if __name__ == "__main__":
    main()
