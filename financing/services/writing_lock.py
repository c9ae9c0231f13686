"""One lock over all proposals: runs that replace them exclude each other and claims."""

from django.db import connection

WRITING_LOCK = 7_230_001


def lock_writing() -> None:
    """Until the end of the transaction, nobody else replaces or claims proposals."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [WRITING_LOCK])


def lock_claiming() -> None:
    """Until the end of the transaction, no run replaces proposals; other claims go on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [WRITING_LOCK])
