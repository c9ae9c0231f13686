"""One number for what a run decided, whatever the order of rows and threads; for `run.py`."""

import hashlib
from typing import Any

import numpy as np

from financing.matching.national.kind_result import KindResult


def result_digest(engine_version: str, loans: KindResult, insurances: KindResult) -> str:
    """SHA-256 over proposals with baskets, prices, value and bound of both kinds.

    Places of requests are left out: they say in which order rows came.
    """
    hasher = hashlib.sha256(engine_version.encode())
    for name, result in (("loan", loans), ("insurance", insurances)):
        hasher.update(f"#{name}:{','.join(result.offer_ids)}\n".encode())
        proposals = result.proposals
        for column in (
            proposals.request_id,
            proposals.offer,
            proposals.rank,
            proposals.is_first,
            proposals.amount_fen,
            proposals.saving_fen,
            proposals.value_fen,
            proposals.is_conditional,
            proposals.premium_fen,
            proposals.patents_start,
            proposals.patent_id,
            result.price_fen_ppm,
            result.price_count_fen,
        ):
            hasher.update(_little_endian(column))
        hasher.update(f"{result.value_fen},{result.bound_fen}\n".encode())
    return hasher.hexdigest()


def _little_endian(column: np.ndarray[Any, Any]) -> bytes:
    return np.ascontiguousarray(column, dtype=column.dtype.newbyteorder("<")).tobytes()
