"""One number for everything a run depends on; called by `run.py`.

Requests are taken in order of their ids and codes by their text, so that neither the order of rows
nor that of the code tables plays a part. Worked through in pieces: a national run's columns are too
large for a second copy.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from financing.matching.canonical import digest
from financing.matching.national.run_input import KindInput, RunInput
from financing.matching.national.tables import Int64, RequestColumns

LINES_AT_ONCE = 500_000

# Columns that are indexes into a table of codes, and columns whose bits are.
INDEXES = {"region": "region_codes", "industry": "industry_codes", "pledgee": "institution_ids"}
BITS = {
    "certificates": "certificate_codes",
    "hard_grounds": "ground_codes",
    "failures": "condition_codes",
}

Column = NDArray[Any]


def input_digest(run: RunInput) -> str:
    """SHA-256 over requests, offers, what is closed, the run before, and the policy."""
    hasher = hashlib.sha256()
    for name, kind in (("loan", run.loans), ("insurance", run.insurances)):
        hasher.update(f"#{name}\n".encode())
        order = np.argsort(kind.requests.id, kind="stable")
        _add_requests(hasher, kind.requests, order)
        _add_settled(hasher, kind)
        hasher.update(digest({"offers": kind.offers}).encode())
    hasher.update(digest({"policy": [run.policy]}).encode())
    return hasher.hexdigest()


def _add_requests(hasher: Any, requests: RequestColumns, order: Int64) -> None:
    spelled = {
        one.name: _spelling(hasher, requests, one.name, getattr(requests, one.name))
        for one in fields(requests)
        if "allowed" in one.metadata and one.name != "patents_start"
    }
    patents = requests.patents
    of_patents = {
        one.name: _spelling(hasher, requests, one.name, getattr(patents, one.name))
        for one in fields(patents)
    }
    start = requests.patents_start
    counts = np.diff(start)
    for first in range(0, len(order), LINES_AT_ONCE):
        lines = order[first : first + LINES_AT_ONCE]
        for name, spell in spelled.items():
            hasher.update(_bytes(spell(getattr(requests, name)[lines])))
        some = counts[lines]
        hasher.update(_bytes(some))
        places = np.repeat(start[lines] - np.cumsum(some) + some, some) + np.arange(some.sum())
        for name, spell in of_patents.items():
            hasher.update(_bytes(spell(getattr(patents, name)[places])))


def _spelling(
    hasher: Any, requests: RequestColumns, name: str, column: Column
) -> Callable[[Column], Column]:
    """How values of this column are written: codes by their rank among those in use."""
    if name in INDEXES:
        codes = getattr(requests, INDEXES[name])
        used = np.bincount(column[column >= 0], minlength=len(codes))
        in_order = sorted(map(int, np.flatnonzero(used)), key=lambda place: codes[place])
        hasher.update(f"{name}:{','.join(codes[place] for place in in_order)}\n".encode())
        # One place more: -1, nothing, stays the last.
        rank = np.full(len(codes) + 1, -1, dtype=np.int32)
        rank[in_order] = np.arange(len(in_order))
        return lambda values: rank[values]
    if name in BITS:
        codes = getattr(requests, BITS[name])
        held = int(np.bitwise_or.reduce(column)) if len(column) else 0
        in_order = sorted((n for n in range(len(codes)) if held >> n & 1), key=codes.__getitem__)
        hasher.update(f"{name}:{','.join(codes[place] for place in in_order)}\n".encode())
        return lambda values: _moved_bits(values, in_order)
    return lambda values: values


def _moved_bits(values: Column, in_order: list[int]) -> Column:
    moved = np.zeros_like(values)
    for to, place in enumerate(in_order):
        moved |= (values >> place & 1) << to
    return moved


def _add_settled(hasher: Any, kind: KindInput) -> None:
    """What is closed and what was proposed before, by id."""
    ids = kind.requests.id
    closed = kind.closed
    rows: dict[str, Iterable[Any]] = {
        "institutions": [[int(ids[place]), code] for place, code in set(closed.institutions)],
        "offers": [[int(ids[place]), code] for place, code in set(closed.offers)],
        "counted": [[int(ids[place])] for place in closed.counted],
    }
    hasher.update(digest(rows).encode())
    requests, offers = kind.previous
    names = sorted({row.id for row in kind.offers})
    rank = {name: number for number, name in enumerate(names)}
    ranks = np.array([rank[row.id] for row in kind.offers], dtype=np.int64)
    of_request = ids[requests]
    of_offer = ranks[offers] if len(offers) else np.zeros(0, dtype=np.int64)
    order = np.lexsort((of_offer, of_request))
    hasher.update(f"previous:{len(order)}\n".encode())
    hasher.update(_bytes(of_request[order]))
    hasher.update(_bytes(of_offer[order]))


def _bytes(column: Column) -> bytes:
    return np.ascontiguousarray(column, dtype=column.dtype.newbyteorder("<")).tobytes()
