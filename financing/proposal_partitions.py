"""The table of a run's proposals: made apart, filled by COPY, then put among the others at once.

Only `services.full_runs` calls it. What needs the owner of the tables are functions of migration
0014; a national run's table becomes a partition, a regional run's rows go to the default one.

Arrays of ids are cast to the type of the column: `id_arrays` says why.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import numpy as np
from django.db import connection
from psycopg import sql

from financing.copying import binary_cursor, read_columns
from financing.matching.national.tables import Int64
from financing.matching.tables import RequestKind
from financing.models.matches import MATCH_LIVE_STATUSES
from financing.models.requests import REQUEST_MATCHING_STATUSES
from financing.pair_kinds import KINDS, PairKind
from financing.proposal_rows import ProposalRows, columns_of, copy_blocks

REST = "financing_proposal_rest"
EVERY_COLUMN = sql.SQL(
    "id, run_id, business_id, loan_request_id, loan_offer_id, insurance_request_id,"
    " insurance_offer_id, rank, is_provisional, amount, saving, patent_ids, created_at"
)
PARTITIONS = """
    SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'financing_proposal'::regclass AND relname <> 'financing_proposal_rest'
"""


def table_of(run_id: int) -> str:
    """Name of the table of a run's proposals."""
    return f"financing_proposal_run_{run_id:d}"


def fill(
    run_id: int, rows: Iterable[tuple[PairKind, ProposalRows]], *, created_at: datetime
) -> None:
    """A table of its own with these rows, keyed as the others; nobody sees it yet.

    That of an earlier try is replaced, those of runs that ended without theirs are removed.
    """
    name = sql.Identifier(table_of(run_id))
    with binary_cursor() as cursor:
        cursor.execute("SELECT financing_open_partition(%s)", [run_id])
        for kind, own in rows:
            columns = sql.SQL(", ").join(map(sql.Identifier, columns_of(kind)))
            statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(name, columns)
            with cursor.copy(statement) as copy:
                for block in copy_blocks(own, run_id=run_id, created_at=created_at):
                    copy.write(block)
        cursor.execute("SELECT financing_key_partition(%s)", [run_id])


def drop_overtaken(
    run_id: int, kind: PairKind, *, request_ids: Int64, offer_ids: Int64, live_offer_ids: Int64
) -> tuple[Int64, Int64]:
    """Take out of the run's table what does not hold any more; the pairs taken out.

    `request_ids`: touched since the rows were read; `offer_ids`: matched since. And whose request
    is not in matching or does not exist, whose offer is not live, or whose pair was claimed.
    """
    query = sql.SQL(
        "WITH overtaken AS ("
        " SELECT id FROM {table} WHERE {request} IS NOT NULL AND ("
        "  {request} = ANY(%(requests)s::bigint[]) OR {offer} = ANY(%(offers)s::bigint[])"
        "  OR {offer} <> ALL(%(live)s::bigint[])"
        "  OR ({request}, {offer}) IN (SELECT {request}, {offer} FROM financing_match"
        "   WHERE {request} IS NOT NULL AND status = ANY(%(standing)s)))"
        # By itself: as one more "or" PostgreSQL would look each line's request up.
        " UNION SELECT id FROM {table} AS own WHERE {request} IS NOT NULL"
        "  AND NOT EXISTS (SELECT FROM {requests} AS asked"
        "   WHERE asked.id = own.{request} AND asked.status = ANY(%(open)s))"
        "), gone AS (DELETE FROM {table} AS own USING overtaken WHERE own.id = overtaken.id"
        " RETURNING {request} AS request, {offer} AS offer) SELECT request, offer FROM gone"
    ).format(
        table=sql.Identifier(table_of(run_id)),
        request=sql.Identifier(kind.request_id),
        offer=sql.Identifier(kind.offer_id),
        requests=sql.Identifier(kind.requests._meta.db_table),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            query,
            {
                "requests": request_ids.tolist(),
                "offers": offer_ids.tolist(),
                "live": live_offer_ids.tolist(),
                "open": REQUEST_MATCHING_STATUSES,
                "standing": MATCH_LIVE_STATUSES,
            },
        )
        gone = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 2)
    return gone[:, 0], gone[:, 1]


def delete_replaced(kind: PairKind, replaced: Int64) -> None:
    """Delete the proposals of these requests (ids rising) from the default partition."""
    there = _requests_of(REST, kind)
    stale = np.unique(there[np.isin(there, replaced)])
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {REST} WHERE {kind.request_id} = ANY(%s::bigint[])",
            [stale.tolist()],
        )


def partitions() -> list[str]:
    """The partitions of national runs that are among the others now."""
    with connection.cursor() as cursor:
        cursor.execute(PARTITIONS)
        return [name for (name,) in cursor.fetchall()]


def delete_from_partition(name: str, kind: PairKind, replaced: Int64) -> None:
    """Delete the proposals of these requests from one partition; a regional run does."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("DELETE FROM {} WHERE {} = ANY(%s::bigint[])").format(
                sql.Identifier(name), sql.Identifier(kind.request_id)
            ),
            [replaced.tolist()],
        )


def drop_partition(name: str, replaced: Mapping[RequestKind, Int64]) -> None:
    """Remove a national run's partition; what it has of requests not replaced moves to the rest.

    `replaced`: ids of requests by kind, rising.
    """
    survivors: dict[str, list[int]] = {}
    for kind in KINDS:
        there = _requests_of(name, kind)
        stays = ~np.isin(there, replaced[kind.name])
        survivors[kind.name] = np.unique(there[stays]).tolist()
    table = sql.Identifier(name)
    run_id = int(name.rpartition("_")[2])
    with binary_cursor() as cursor:
        rows = b""
        if any(survivors.values()):
            statement = sql.SQL(
                "COPY (SELECT {} FROM {} WHERE loan_request_id = ANY(%s::bigint[])"
                " OR insurance_request_id = ANY(%s::bigint[])) TO STDOUT (FORMAT BINARY)"
            ).format(EVERY_COLUMN, table)
            ids = [survivors[kind.name] for kind in KINDS]
            with cursor.copy(statement, ids) as copy:
                rows = b"".join(bytes(block) for block in copy)
        cursor.execute("SELECT financing_drop_partition(%s)", [run_id])
        if rows:
            into = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)")
            with cursor.copy(into.format(sql.Identifier(REST), EVERY_COLUMN)) as copy:
                copy.write(rows)


def _requests_of(table: str, kind: PairKind) -> Int64:
    """The requests of all proposals in a table."""
    (there,) = read_columns(
        f"SELECT {kind.request_id} FROM {table} WHERE {kind.request_id} IS NOT NULL", [], ["i8"]
    )
    return there


def attach(run_id: int) -> None:
    """Make a national run's table a partition."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT financing_attach_partition(%s)", [run_id])


def move_to_rest(run_id: int) -> None:
    """Put a regional run's rows among the rest and drop its table."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(
                sql.Identifier(REST), EVERY_COLUMN, EVERY_COLUMN, sql.Identifier(table_of(run_id))
            )
        )
        cursor.execute("SELECT financing_drop_partition(%s)", [run_id])
