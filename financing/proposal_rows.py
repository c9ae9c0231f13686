"""A run's proposals as rows of PostgreSQL's binary COPY, made with NumPy; `full_runs` writes them.

Every value is fixed in width but the array of patents, so that rows with the same number of patents
are one structured array and no value is touched by a Python loop.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from financing.copying import HEADER, TRAILER
from financing.matching.national.tables import Bool, Int64
from financing.pair_kinds import PairKind

FEN = 100
# Numerics in PostgreSQL are digits of base 10,000; five of them, the last behind the point, hold
# every amount of the matcher. Leading zeros are dropped by the server.
DIGITS = 5
BASE = 10_000
NUMERIC_WIDTH = 8 + 2 * DIGITS
BIGINT_OID = 20
# Timestamps count microseconds from here.
POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
LINES_AT_ONCE = 200_000


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ProposalRows:
    """Proposals of one kind. Patents of line n: patent_id[start[n] : start[n + 1]]."""

    business: Int64
    request: Int64
    offer: Int64
    rank: Int64
    is_first: Bool
    amount_fen: Int64
    saving_fen: Int64
    start: Int64
    patent_id: Int64

    def __len__(self) -> int:
        return len(self.request)


def columns_of(kind: PairKind) -> tuple[str, ...]:
    """The columns of the table in the order of `copy_blocks`."""
    return (
        "run_id",
        "business_id",
        kind.request_id,
        kind.offer_id,
        "rank",
        "is_provisional",
        "amount",
        "saving",
        "created_at",
        "patent_ids",
    )


def copy_blocks(rows: ProposalRows, *, run_id: int, created_at: datetime) -> Iterator[bytes]:
    """The whole stream for COPY … FROM STDIN (FORMAT BINARY)."""
    moment = (created_at - POSTGRES_EPOCH) // timedelta(microseconds=1)
    yield HEADER
    counts = np.diff(rows.start)
    for begin in range(0, len(rows), LINES_AT_ONCE):
        own = counts[begin : begin + LINES_AT_ONCE]
        for count in np.unique(own):
            lines = np.flatnonzero(own == count) + begin
            yield _block(rows, lines, int(count), run_id, moment).tobytes()
    yield TRAILER


def _row_type(patents: int) -> np.dtype[Any]:
    # A one-dimensional array states its dimension; an empty one has none.
    head = [("ndim", ">i4"), ("has_null", ">i4"), ("type", ">i4")]
    if patents:
        head += [("size", ">i4"), ("lower", ">i4")]
    array: list[Any] = list(head)
    if patents:
        array.append(("items", [("length", ">i4"), ("value", ">i8")], (patents,)))
    parts: list[Any] = [("columns", ">i2")]
    for name, kind in (
        ("run", ">i8"),
        ("business", ">i8"),
        ("request", ">i8"),
        ("offer", ">i8"),
        ("rank", ">i2"),
        ("provisional", "u1"),
    ):
        parts += [(f"{name}_length", ">i4"), (name, kind)]
    for name in ("amount", "saving"):
        numeric = [("shape", ">i2", (4,)), ("digits", ">i2", (DIGITS,))]
        parts += [(f"{name}_length", ">i4"), (name, numeric)]
    parts += [("created_length", ">i4"), ("created", ">i8")]
    parts += [("patents_length", ">i4"), ("patents", array)]
    return np.dtype(parts)


def _block(rows: ProposalRows, lines: Int64, patents: int, run_id: int, moment: int) -> np.ndarray:
    block = np.zeros(len(lines), dtype=_row_type(patents))
    block["columns"] = 10
    for name, values in (
        ("run", run_id),
        ("business", rows.business[lines]),
        ("request", rows.request[lines]),
        ("offer", rows.offer[lines]),
        ("created", moment),
    ):
        block[f"{name}_length"], block[name] = 8, values
    block["rank_length"], block["rank"] = 2, rows.rank[lines]
    block["provisional_length"], block["provisional"] = 1, 0
    for name, fen in (("amount", rows.amount_fen[lines]), ("saving", rows.saving_fen[lines])):
        block[f"{name}_length"] = NUMERIC_WIDTH
        _numeric(block[name], fen)
    block["patents_length"] = block.dtype["patents"].itemsize
    array = block["patents"]
    array["type"] = BIGINT_OID
    if patents:
        array["ndim"], array["size"], array["lower"] = 1, patents, 1
        array["items"]["length"] = 8
        places = rows.start[lines][:, np.newaxis] + np.arange(patents)
        array["items"]["value"] = rows.patent_id[places]
    return block


def _numeric(target: np.ndarray, fen: Int64) -> None:
    """Yuan with two decimals; `fen` may be below nothing."""
    # Digits, weight of the first, sign, decimals shown.
    target["shape"][:, 0] = DIGITS
    target["shape"][:, 1] = DIGITS - 2
    target["shape"][:, 2] = np.where(fen < 0, 0x4000, 0)
    target["shape"][:, 3] = 2
    yuan, rest = np.divmod(np.abs(fen), FEN)
    target["digits"][:, DIGITS - 1] = rest * (BASE // FEN)
    for place in range(DIGITS - 2, -1, -1):
        yuan, digit = np.divmod(yuan, BASE)
        target["digits"][:, place] = digit
