"""What a full run decides on, in columns; only workers, commands and benchmarks import it.

The requests come from the snapshot, brought up to date first; offers, what people have decided and
the proposals that stand are read as they are now.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from financing import live_offers, match_rows
from financing.copying import read_columns
from financing.kind_rows import rows_of
from financing.live_offers import with_current_use
from financing.match_runs import current_policy
from financing.matching import tables
from financing.matching.decided import blocking_criterion, index_decided
from financing.matching.national.packing import Closed
from financing.matching.national.run_input import KindInput, RunInput
from financing.matching.national.tables import Int32, Int64
from financing.matching.policy import MatchingPolicy as PolicyRow
from financing.models import MatchingPolicy, MatchRun
from financing.pair_kinds import KINDS, LOAN, AnyOffer, PairKind
from financing.run_inputs import regional_shares, with_share
from financing.snapshot.chunks import Chunk
from financing.snapshot.refreshing import refresh
from financing.snapshot.stored import read_requests
from financing.standing_rows import decided_rows, standing_rows
from financing.suppositions import Supposition, added_ids, suppose_offers, suppose_policy

Tell = Callable[[str, int], None]
NOTHING_SUPPOSED = Supposition()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FullRunInput:
    """`chunks`: by kind, what the requests have beside the matcher's columns (their businesses)."""

    policy: MatchingPolicy
    policy_row: PolicyRow
    run: RunInput
    chunks: dict[tables.RequestKind, Chunk]

    def kind(self, kind: PairKind) -> KindInput:
        return self.run.loans if kind is LOAN else self.run.insurances


def read_full_run(run: MatchRun, on: date, tell: Tell | None = None) -> FullRunInput:
    """Every request in matching inside the run's region, and every live offer, of both kinds.

    A regional run gets of each offer the region's share (MATCHING 4). `tell` hears what is read and
    how many lines of it so far; what it raises ends the reading.
    """
    supposition = Supposition.from_json(run.supposed)
    policy = suppose_policy(current_policy(on), supposition)
    policy_row = match_rows.policy_row(policy, on)
    chunks, inputs = {}, {}
    for kind in KINDS:
        refresh(kind, on, None if tell is None else _chunks_told(kind, tell))
        chunk = read_requests(kind, run.scope_prefix)
        chunks[kind.name] = chunk
        if tell is not None:
            tell(f"{kind.name}.offers", len(chunk))
        offers = live_offer_rows(kind, run.scope_prefix, policy_row, on, supposition)
        inputs[kind.name] = kind_input(kind, chunk, offers, on)
    return FullRunInput(
        policy=policy,
        policy_row=policy_row,
        run=RunInput(loans=inputs["loan"], insurances=inputs["insurance"], policy=policy_row),
        chunks=chunks,
    )


def _chunks_told(kind: PairKind, tell: Tell) -> Callable[[int, int], None]:
    return lambda done, of: tell(f"{kind.name}.requests", done)


def live_offer_rows(
    kind: PairKind,
    scope_prefix: str,
    policy: PolicyRow,
    on: date,
    supposition: Supposition = NOTHING_SUPPOSED,
) -> tuple[Any, ...]:
    """The live offers of a kind, with the region's share of their room, as supposed."""
    if not scope_prefix and supposition.is_empty:
        # A worker has nearly all of them as they are now.
        return tuple(with_current_use(kind, live_offers.live_offer_rows(kind, on), on))
    live = kind.offers._default_manager.live().values_list("pk", flat=True)
    added = set(added_ids(kind, supposition))
    taking_part = kind.offers._default_manager.filter(pk__in={*live, *added})
    offers: list[AnyOffer] = suppose_offers(
        kind, rows_of(kind).with_criteria(taking_part).order_by("pk"), supposition
    )
    rows = [
        replace(
            row, status="published", is_institution_suspended=False, opens_on=None, closes_on=None
        )
        if int(row.id) in added
        else row
        for row in rows_of(kind).offer_rows(offers, on)
    ]
    if not scope_prefix:
        return tuple(rows)
    shares = regional_shares(scope_prefix, offers)
    return tuple(
        with_share(row, shares[kind.name, int(row.id)], policy.oversubscription_ppm) for row in rows
    )


def kind_input(kind: PairKind, chunk: Chunk, offers: Sequence[Any], on: date) -> KindInput:
    """One kind of a run over the requests of `chunk`, as they are on a day."""
    ids = chunk.columns.id
    return KindInput(
        requests=chunk.on(on),
        offers=tuple(offers),
        closed=_closed(kind, ids, offers, on),
        previous=_previous(kind, ids, offers),
    )


def places_of(ids: Int64, wanted: Int64) -> tuple[Int64, np.ndarray]:
    """Places of `wanted` among the rising `ids`, and which of them are there at all."""
    places = np.searchsorted(ids, wanted).astype(np.int64)
    there = np.zeros(len(wanted), dtype=np.bool_)
    inside = places < len(ids)
    there[inside] = ids[places[inside]] == wanted[inside]
    return places, there


def _previous(kind: PairKind, ids: Int64, offers: Sequence[Any]) -> tuple[Int64, Int32]:
    """The proposals that stand, by places of request and offer; of offers no longer live none."""
    request, offer = read_columns(
        f"SELECT {kind.request_id}, {kind.offer_id} FROM financing_proposal"
        f" WHERE {kind.request_id} IS NOT NULL",
        [],
        ["i8", "i8"],
    )
    numbers = np.array([int(row.id) for row in offers], dtype=np.int64)
    order = np.argsort(numbers, kind="stable")
    place, is_asked = places_of(ids, request)
    at, is_live = places_of(numbers[order], offer)
    both = is_asked & is_live
    return place[both], order[at[both]].astype(np.int32)


def _closed(kind: PairKind, ids: Int64, offers: Sequence[Any], on: date) -> Closed:
    """What people have settled. Decisions are few: their requests are read as rows."""
    standing = _inside(ids, standing_rows(kind, None, on))
    decided = _inside(ids, decided_rows(kind, None))
    return Closed(
        institutions=tuple((place, row.institution_id) for place, row in standing),
        offers=tuple(_decided_offers(kind, decided, offers, on)),
        counted=tuple(place for place, row in standing if row.is_within_deadline),
    )


def _inside(ids: Int64, rows: Sequence[Any]) -> list[tuple[int, Any]]:
    """Rows of requests in the run, each with its place."""
    wanted = np.array([int(row.request_id) for row in rows], dtype=np.int64)
    places, there = places_of(ids, wanted)
    return [
        (int(place), row)
        for place, is_there, row in zip(places, there, rows, strict=True)
        if is_there
    ]


def _decided_offers(
    kind: PairKind,
    decided: Sequence[tuple[int, tables.DecidedPair]],
    offers: Sequence[Any],
    on: date,
) -> Iterable[tuple[int, str]]:
    """The offers that a decision still keeps from its request."""
    index = index_decided(row for _, row in decided)
    by_institution: dict[str, list[Any]] = {}
    for offer in offers:
        by_institution.setdefault(offer.institution_id, []).append(offer)
    numbers = {int(row.request_id) for _, row in decided}
    found = rows_of(kind).with_facts(kind.requests._default_manager.filter(pk__in=numbers))
    rows = {row.id: row for row in rows_of(kind).request_rows(list(found), on)}
    for place, pair in decided:
        for offer in by_institution.get(pair.institution_id, ()):
            if blocking_criterion(rows[pair.request_id], offer, index) is not None:
                yield place, offer.id
