"""Peers of the top-k walk: the same pairs by Polars, DuckDB and PostgreSQL.

Each takes the plain tables in its own storage (loading is not timed) and gives every request's
best offers by saving, ties by the offer's number: arrays request, offer, amount, saving.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.matching_scale.plain_tables import PlainTables

Pairs = dict[str, np.ndarray]
Peer = Callable[[], Pairs]

# The rules of the study's instance, in SQL that DuckDB and PostgreSQL both take.
JOIN = """
WITH joined AS (
  SELECT r.request, s.offer, s.ppm, o.minimum, r.least,
         LEAST(r.principal, o.maximum,
               r.appraised * (CASE r.kind WHEN 0 THEN o.ltv_0 WHEN 1 THEN o.ltv_1
                              ELSE o.ltv_2 END) {divided} 1000000) {divided} 100 * 100 AS amount
  FROM requests r
  JOIN served s ON s.province = r.province AND s.size = r.size AND s.term = r.term
  JOIN offers o ON o.offer = s.offer
  WHERE (r.division_bit & o.divisions) <> 0
    AND r.operating >= o.operating_least
    AND r.principal >= o.minimum
    AND (CASE r.kind WHEN 0 THEN o.ltv_0 WHEN 1 THEN o.ltv_1 ELSE o.ltv_2 END) >= 0
    AND r.life >= GREATEST(r.term + o.margin,
          CASE r.kind WHEN 0 THEN o.life_0 WHEN 1 THEN o.life_1 ELSE o.life_2 END)
), fitting AS (
  SELECT request, offer, amount, amount * ppm {divided} 1000000 AS saving
  FROM joined WHERE amount >= GREATEST(minimum, least)
)
"""
TOP = """
SELECT request, offer, amount, saving FROM (
  SELECT *, row_number() OVER (PARTITION BY request ORDER BY saving DESC, offer) AS place
  FROM fitting) ranked
WHERE place <= {k} ORDER BY request, place
"""
ALL = "SELECT request, offer, amount, saving FROM fitting ORDER BY request, offer"


def polars_peer(tables: PlainTables, k: int | None) -> Peer:
    """Polars' lazy engine; `k` None gives every fitting pair."""
    import polars as pl  # noqa: PLC0415 - optional, only where this peer is asked for

    requests = pl.DataFrame(tables.requests)
    served = pl.DataFrame(tables.served).join(pl.DataFrame(tables.offers), on="offer")
    col = pl.col

    def by_kind(name: str) -> Any:
        first = pl.when(col("kind") == 0).then(col(f"{name}_0"))
        return first.when(col("kind") == 1).then(col(f"{name}_1")).otherwise(col(f"{name}_2"))

    def run() -> Pairs:
        fitting = (
            requests.lazy()
            .join(served.lazy(), on=["province", "size", "term"])
            .filter(
                (col("division_bit") & col("divisions")) != 0,
                col("operating") >= col("operating_least"),
                col("principal") >= col("minimum"),
                by_kind("ltv") >= 0,
                col("life") >= pl.max_horizontal(col("term") + col("margin"), by_kind("life")),
            )
            .with_columns(
                amount=pl.min_horizontal(
                    "principal", "maximum", col("appraised") * by_kind("ltv") // 1_000_000
                )
                // 100
                * 100
            )
            .filter(col("amount") >= pl.max_horizontal("minimum", "least"))
            .select("request", "offer", "amount", saving=col("amount") * col("ppm") // 1_000_000)
        )
        if k is None:
            found = fitting.sort("request", "offer")
        else:
            found = (
                fitting.sort("request", -col("saving"), "offer")
                .group_by("request", maintain_order=True)
                .head(k)
            )
        frame = found.collect(engine="streaming")
        return {name: frame[name].to_numpy() for name in ("request", "offer", "amount", "saving")}

    return run


def duckdb_peer(tables: PlainTables, k: int | None) -> Peer:
    """DuckDB on two threads, tables in memory."""
    import duckdb  # noqa: PLC0415 - optional, only where this peer is asked for

    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    for name in ("requests", "offers", "served"):
        source = dict(getattr(tables, name))
        connection.register("source", source)
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM source")
        connection.unregister("source")
    query = JOIN.format(divided="//") + (ALL if k is None else TOP.format(k=k))

    def run() -> Pairs:
        return dict(connection.execute(query).fetchnumpy())

    return run


def postgres_peer(tables: PlainTables, k: int | None, address: str) -> Peer:
    """PostgreSQL, temporary tables with an index on the join, analysed."""
    import psycopg  # noqa: PLC0415 - not needed by the other peers

    connection = psycopg.connect(address, autocommit=True)
    connection.execute("SET work_mem = '512MB'")
    for name in ("requests", "offers", "served"):
        columns: dict[str, np.ndarray] = getattr(tables, name)
        declared = ", ".join(f"{column} bigint" for column in columns)
        connection.execute(f"CREATE TEMP TABLE {name} ({declared})")
        with connection.cursor().copy(f"COPY {name} FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int8"] * len(columns))
            for row in zip(*(values.tolist() for values in columns.values()), strict=True):
                copy.write_row(row)
    connection.execute("CREATE INDEX ON served (province, size, term)")
    for name in ("requests", "offers", "served"):
        connection.execute(f"ANALYZE {name}")
    query = JOIN.format(divided="/") + (ALL if k is None else TOP.format(k=k))

    def run() -> Pairs:
        rows = np.asarray(connection.execute(query).fetchall(), dtype=np.int64).reshape(-1, 4)
        names = ("request", "offer", "amount", "saving")
        return {name: rows[:, place] for place, name in enumerate(names)}

    return run
