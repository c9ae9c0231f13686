"""The lease on a message: an advisory lock that ends with the session of whoever works on it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error, connection

# Upper half of the lock's number; the lower half is the message's id (so ids stay below 2**32).
LOCK_SPACE = 0x0B0C

# For a WHERE clause: nobody works on the message `m.id` of this database right now.
NOT_LOCKED_SQL = f"""
NOT EXISTS (
    SELECT 1 FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND classid = {LOCK_SPACE}
      AND objid::bigint = m.id
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
"""

STILL_HELD_SQL = """
SELECT EXISTS (
    SELECT 1 FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND pid = pg_backend_pid()
      AND classid::bigint = %s AND objid::bigint = %s
)
"""


@contextmanager
def message_lock(message_id: int) -> Iterator[bool]:
    """Hold the message's lock while inside; yields False when somebody else has it.

    The lock belongs to the database session: a killed process loses it as soon as the server
    notices that its connection has gone.
    """
    number = (LOCK_SPACE << 32) | message_id
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        held: bool = cursor.fetchone()[0]
    try:
        yield held
    finally:
        if held:
            _unlock(number)


def is_still_held(message_id: int) -> bool:
    """Whether this session holds the message's lock: False when the connection broke meanwhile."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(STILL_HELD_SQL, [LOCK_SPACE, message_id])
            return bool(cursor.fetchone()[0])
    except Error:
        connection.close()
        return False


def _unlock(number: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
    except Error:
        # The session has gone, and the lock with it.
        connection.close()
