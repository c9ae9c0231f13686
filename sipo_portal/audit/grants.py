"""What the application's database role may do; granted by the owner after every migrate."""

from typing import Any

from django.conf import settings
from django.db import connections
from psycopg import sql

from sipo_portal.audit.models import AuditEvent, AuditSeal

PROTECTED = (AuditEvent, AuditSeal)


def grant_to_application(sender: Any, using: str, **kwargs: Any) -> None:
    """Rights on all tables for DATABASE_APP_ROLE, except changing or deleting audit rows; functions
    that run with the owner's rights are for that role alone.

    A receiver of post_migrate: runs once per migrate, as the owner. Without DATABASE_APP_ROLE, or
    when the migrating role is that role itself, there is nothing to grant.
    """
    role = settings.DATABASE_APP_ROLE
    if not role:
        return
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT current_user = %s", [role])
        if cursor.fetchone()[0]:
            return
        for statement in _statements(role):
            cursor.execute(statement)
        # What runs with the owner's rights is for nobody else; functions begin open to all.
        cursor.execute(
            "SELECT oid::regprocedure::text FROM pg_proc"
            " WHERE prosecdef AND pronamespace = 'public'::regnamespace"
        )
        for (function,) in cursor.fetchall():
            cursor.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
            cursor.execute(
                sql.SQL("GRANT EXECUTE ON FUNCTION {function} TO {role}").format(
                    function=sql.SQL(function), role=sql.Identifier(role)
                )
            )


def _statements(role: str) -> list[sql.Composed]:
    name = sql.Identifier(role)
    everywhere = [
        "GRANT USAGE ON SCHEMA public TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public"
        " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
    ]
    statements = [sql.SQL(text).format(role=name) for text in everywhere]
    for model in PROTECTED:
        table = sql.Identifier(model._meta.db_table)
        statements.append(
            sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {role}").format(
                table=table, role=name
            )
        )
    return statements
