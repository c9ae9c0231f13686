"""Digests of a run on rows, of what went in and what came out; for `engine.py`, `readable.py`."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from financing.matching.allocation import OfferKey
from financing.matching.canonical import digest
from financing.matching.policy import MatchingPolicy
from financing.matching.results import MatchingResult
from financing.matching.tables import (
    DecidedPair,
    OfferRow,
    PreviousProposal,
    RequestRow,
    StandingMatch,
)


def input_digest(
    requests: Sequence[RequestRow],
    offers: Sequence[OfferRow],
    policy: MatchingPolicy,
    *,
    decided: Sequence[DecidedPair] = (),
    standing: Sequence[StandingMatch] = (),
    previous: Sequence[PreviousProposal] = (),
    fresh: Collection[OfferKey] | None = None,
) -> str:
    """SHA-256 over everything a run depends on, whatever the order of rows."""
    tables: dict[str, Iterable[Any]] = {
        f"{kind}_{name}": [row for row in rows if row.kind == kind]
        for name, rows in (("requests", requests), ("offers", offers))
        for kind in ("loan", "insurance")
    }
    return digest(
        {
            **tables,
            "policy": [policy],
            "decided": decided,
            "standing": standing,
            "previous": previous,
            **({} if fresh is None else {"fresh": fresh}),
        }
    )


def results_digest(result: MatchingResult) -> str:
    """SHA-256 over proposals, rooms with prices, value and bound."""
    return digest(
        {
            "proposals": result.proposals,
            "rooms": result.rooms,
            "sums": [[result.engine_version, result.value_fen, result.bound_fen]],
        }
    )
