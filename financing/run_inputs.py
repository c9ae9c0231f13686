"""What one run of the matcher decides on, and its result as rows; `services.match_runs` calls it.

A run reads rows of one moment through `match_rows`, hands them to the matcher and gives back
proposals that are not saved yet. Nothing here writes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Sum

from financing import match_rows
from financing.kind_rows import rows_of
from financing.match_rows import yuan
from financing.match_runs import current_policy
from financing.matching import tables
from financing.matching.allocation import OfferKey
from financing.matching.policy import MatchingPolicy as PolicyRow
from financing.matching.readable import propose_readably
from financing.matching.results import MatchingResult
from financing.matching.rooms import room_of
from financing.models import MatchingPolicy, MatchRun, Proposal
from financing.models.requests import REQUEST_MATCHING_STATUSES
from financing.pair_kinds import KIND_BY_NAME, KINDS, AnyOffer, AnyRequest, PairKind, kind_of
from financing.snapshot.records import model_of
from financing.standing_rows import (
    decided_rows,
    last_national_run,
    previous_rows,
    price_key,
    standing_rows,
)

# An offer or a request of either kind, as the matcher's rows name them.
Key = tuple[str, int]


@dataclass(frozen=True)
class RunInput:
    """What one run decides on: rows of a moment, and the businesses that ask, by request."""

    policy: MatchingPolicy
    policy_row: PolicyRow
    requests: list[tables.RequestRow]
    offers: list[tables.OfferRow]
    decided: list[tables.DecidedPair]
    standing: list[tables.StandingMatch]
    previous: list[tables.PreviousProposal]
    business_ids: dict[Key, int]
    # Of an incremental run: the only offers it proposes anew.
    fresh: frozenset[OfferKey] | None = None
    # Proposals that stand now and are decided on again; what is not proposed again goes.
    reconsidered: tuple[Proposal, ...] = ()
    # How many offers were looked at, where the rows are only those that matter.
    offer_count: int | None = None


def key_of(row: tables.RequestRow | tables.OfferRow) -> Key:
    """Kind and id of the record a row was made of."""
    return row.kind, int(row.id)


def read_full_run(run: MatchRun, on: date) -> RunInput:
    """Every request in matching inside the run's region, and every live offer, of both kinds.

    A regional run gets of each offer the region's share (MATCHING 4).
    """
    requests: list[AnyRequest] = []
    offers: list[AnyOffer] = []
    for kind in KINDS:
        inside = in_matching(kind).filter(business__region__code__startswith=run.scope_prefix)
        requests += inside
        offers += live_offers(kind)
    found = read_rows(requests, offers, on)
    if not run.scope_prefix:
        return found
    shares = regional_shares(run.scope_prefix, offers)
    rows = [
        with_share(row, shares[key_of(row)], found.policy_row.oversubscription_ppm)
        for row in found.offers
    ]
    return replace(found, offers=rows)


def in_matching(kind: PairKind) -> QuerySet[Any]:
    """The requests a run considers, read for their rows."""
    return rows_of(kind).with_facts(kind.requests._default_manager.in_matching()).order_by("pk")


def live_offers(kind: PairKind) -> QuerySet[Any]:
    """The offers a run considers, read for their rows."""
    return rows_of(kind).with_criteria(kind.offers._default_manager.live()).order_by("pk")


def read_rows(requests: Sequence[AnyRequest], offers: Sequence[AnyOffer], on: date) -> RunInput:
    """Rows of both kinds with what people and earlier runs decided about the requests, which are
    models or records."""
    policy = current_policy(on)
    found = RunInput(policy, match_rows.policy_row(policy, on), [], [], [], [], [], {})
    for kind in KINDS:
        own = [request for request in requests if model_of(request) is kind.requests]
        ids = [request.pk for request in own]
        found.requests.extend(rows_of(kind).request_rows(own, on))
        found.offers.extend(
            rows_of(kind).offer_rows(
                [offer for offer in offers if isinstance(offer, kind.offers)], on
            )
        )
        found.decided.extend(decided_rows(kind, ids))
        found.standing.extend(standing_rows(kind, ids, on))
        found.previous.extend(previous_rows(kind, ids))
        found.business_ids.update({(kind.name, each.pk): each.business_id for each in own})
    return found


def decide(found: RunInput) -> MatchingResult:
    """Run the matcher; the same input gives the same result, byte for byte."""
    return propose_readably(
        found.requests,
        found.offers,
        found.policy_row,
        decided=found.decided,
        standing=found.standing,
        previous=found.previous,
        fresh=found.fresh,
    )


def proposals_of(
    result: MatchingResult, found: RunInput, run: MatchRun, *, is_provisional: bool
) -> list[Proposal]:
    """The result as unsaved rows of `run`."""
    return [
        Proposal(
            run=run,
            business_id=found.business_ids[proposal.kind, int(proposal.request_id)],
            **{
                KIND_BY_NAME[proposal.kind].request_id: int(proposal.request_id),
                KIND_BY_NAME[proposal.kind].offer_id: int(proposal.offer_id),
            },
            rank=proposal.rank,
            is_provisional=is_provisional,
            amount=yuan(proposal.amount_fen),
            saving=yuan(proposal.saving_fen),
            patent_ids=[int(patent_id) for patent_id in proposal.patent_ids],
        )
        for proposal in result.proposals
    ]


def allotment(
    proposals: Iterable[Proposal], requests: Iterable[tables.RequestRow]
) -> dict[str, dict[str, str]]:
    """Yuan proposed by offer (as `price_key` names it) and division of the business, as text for
    JSON."""
    divisions = {key_of(row): row.region_code for row in requests}
    amounts: dict[str, dict[str, Decimal]] = {}
    for proposal in proposals:
        kind = kind_of(proposal)
        offer = price_key(kind.name, str(getattr(proposal, kind.offer_id)))
        by_division = amounts.setdefault(offer, {})
        code = divisions[kind.name, getattr(proposal, kind.request_id)]
        by_division[code] = by_division.get(code, Decimal(0)) + proposal.amount
    return {
        offer: {code: str(amount) for code, amount in sorted(by_division.items())}
        for offer, by_division in amounts.items()
    }


def regional_shares(scope_prefix: str, offers: Iterable[AnyOffer]) -> dict[Key, Decimal]:
    """Of each offer, the part a region may use: its part of the last national run's proposals,
    else its part of what is open of the kind in the country (MATCHING 4)."""
    national = last_national_run()
    allotted = national.allotted if national is not None else {}
    by_amount = {kind.name: _open_share(kind, scope_prefix) for kind in KINDS}
    shares: dict[Key, Decimal] = {}
    for offer in offers:
        name = kind_of(offer).name
        given = allotted.get(price_key(name, str(offer.pk)), {})
        total = sum(map(Decimal, given.values()), Decimal(0))
        inside = sum(
            (Decimal(amount) for code, amount in given.items() if code.startswith(scope_prefix)),
            Decimal(0),
        )
        shares[name, offer.pk] = inside / total if total else by_amount[name]
    return shares


def _open_share(kind: PairKind, scope_prefix: str) -> Decimal:
    """The region's part of what all open requests of the kind ask for."""
    requests = kind.requests._default_manager.filter(status__in=REQUEST_MATCHING_STATUSES)
    everywhere = requests.aggregate(total=Sum(kind.amount_field))["total"] or Decimal(0)
    inside = requests.filter(business__region__code__startswith=scope_prefix)
    here = inside.aggregate(total=Sum(kind.amount_field))["total"] or Decimal(0)
    return here / everywhere if everywhere else Decimal(0)


def with_share(row: tables.OfferRow, share: Decimal, oversubscription_ppm: int) -> tables.OfferRow:
    """The offer with the room `share` of its own; booked and held are already taken off."""
    room = room_of(row, oversubscription_ppm)
    return with_room(
        row,
        int(room.fen * share),
        None if room.count is None else int(room.count * share),
        oversubscription_ppm,
    )


def with_room(
    row: tables.OfferRow, room_fen: int, room_count: int | None, oversubscription_ppm: int
) -> tables.OfferRow:
    """The offer with exactly this room, which is at most its own: more of it counts as held."""
    free = room_of(replace(row, held_fen=0, held_count=0), oversubscription_ppm)
    held_count = row.held_count
    if free.count is not None and room_count is not None:
        held_count = free.count - room_count
    return replace(row, held_fen=free.fen - room_fen, held_count=held_count)
