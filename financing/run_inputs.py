"""What one run of the matcher decides on, and its result as rows; `services.match_runs` calls it.

A run reads rows of one moment through `match_rows`, hands them to the matcher and gives back
proposals that are not saved yet. Nothing here writes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet, Sum

from financing import match_rows
from financing.kind_rows import rows_of
from financing.match_rows import yuan
from financing.match_runs import current_policy
from financing.matching import tables
from financing.matching.allocation import OfferKey
from financing.matching.context import make_context
from financing.matching.eligibility import may_pass
from financing.matching.policy import MatchingPolicy as PolicyRow
from financing.matching.readable import propose_readably
from financing.matching.results import MatchingResult
from financing.matching.rooms import room_of
from financing.models import MatchingPolicy, MatchRun, Proposal
from financing.models.requests import REQUEST_MATCHING_STATUSES
from financing.pair_kinds import KIND_BY_NAME, KINDS, AnyOffer, AnyRequest, PairKind, kind_of
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
        inside = _in_matching(kind).filter(business__region__code__startswith=run.scope_prefix)
        requests += inside
        offers += _live(kind)
    found = _read(requests, offers, on)
    if not run.scope_prefix:
        return found
    shares = regional_shares(run.scope_prefix, offers)
    rows = [
        with_share(row, shares[key_of(row)], found.policy_row.oversubscription_ppm)
        for row in found.offers
    ]
    return replace(found, offers=rows)


def read_request_run(kind: PairKind, request_id: int, on: date) -> RunInput:
    """One request against every live offer, within the room that standing proposals leave."""
    requests = list(_in_matching(kind).filter(pk=request_id))
    found = _read(requests, list(_live(kind)), on)
    own = list(Proposal.objects.filter(**{kind.request_field: request_id}))
    return replace(found, offers=_less_proposed(kind, found, own), reconsidered=tuple(own))


def read_offer_run(kind: PairKind, offer_id: int, on: date) -> RunInput:
    """One offer against the requests it may suit; their provisional proposals are decided on
    again beside it, those of a full run stand until the next one.

    A provisional proposal gives way where the offer is better by the policy's margin (MATCHING 1),
    and never takes more of its own offer than it has now.
    """
    of_offer = {kind.offer_field: offer_id}
    own = list(Proposal.objects.filter(**of_offer))
    offers = list(_live(kind).filter(pk=offer_id))
    if not offers:
        return replace(_read([], [], on), reconsidered=tuple(own))
    requests = _suitable_requests(kind, offers, on)
    held = {f"{kind.request_field}__in": [request.pk for request in requests]}
    others = Proposal.objects.filter(**held).exclude(**of_offer)
    kept = others.filter(is_provisional=False).select_related(kind.offer_field)
    reconsidered = [*own, *others.filter(is_provisional=True)]
    rivals = {getattr(each, kind.offer_id) for each in reconsidered} - {offer_id}
    found = _read(requests, [*offers, *_live(kind).filter(pk__in=rivals)], on)
    standing = [
        tables.StandingMatch(
            kind=kind.name,
            request_id=str(getattr(proposal, kind.request_id)),
            offer_id=str(getattr(proposal, kind.offer_id)),
            institution_id=str(proposal.offer.institution_id),
            is_within_deadline=True,
        )
        for proposal in kept
    ]
    return replace(
        found,
        offers=_less_proposed(kind, found, reconsidered),
        standing=[*found.standing, *standing],
        fresh=frozenset({(kind.name, str(offer_id))}),
        reconsidered=tuple(reconsidered),
    )


def _suitable_requests(kind: PairKind, offers: Sequence[AnyOffer], on: date) -> list[AnyRequest]:
    """The requests in matching that no rule keeps from all the offers before patents are read."""
    rows = rows_of(kind)
    requests = kind.requests._default_manager.in_matching()
    heads = rows.request_heads(rows.with_business(requests), on)
    context = make_context(match_rows.policy_row(current_policy(on), on))
    offer_rows = rows.offer_rows(offers, on)
    suitable = [
        int(head.id)
        for head in heads
        if any(may_pass(head, offer, context) for offer in offer_rows)
    ]
    return list(_in_matching(kind).filter(pk__in=suitable))


def _in_matching(kind: PairKind) -> QuerySet[Any]:
    return rows_of(kind).with_facts(kind.requests._default_manager.in_matching()).order_by("pk")


def _live(kind: PairKind) -> QuerySet[Any]:
    return rows_of(kind).with_criteria(kind.offers._default_manager.live()).order_by("pk")


def _read(requests: Sequence[AnyRequest], offers: Sequence[AnyOffer], on: date) -> RunInput:
    policy = current_policy(on)
    found = RunInput(policy, match_rows.policy_row(policy, on), [], [], [], [], [], {})
    for kind in KINDS:
        own = [request for request in requests if isinstance(request, kind.requests)]
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


def _amounts_by_offer(kind: PairKind, proposals: QuerySet[Proposal]) -> dict[int, Decimal]:
    rows = proposals.values(kind.offer_id).annotate(amount=Sum("amount")).order_by()
    return {row[kind.offer_id]: row["amount"] for row in rows}


def with_share(row: tables.OfferRow, share: Decimal, oversubscription_ppm: int) -> tables.OfferRow:
    """The offer with the room `share` of its own; booked and held are already taken off."""
    room = room_of(row, oversubscription_ppm)
    return _with_room(
        row,
        int(room.fen * share),
        None if room.count is None else int(room.count * share),
        oversubscription_ppm,
    )


def _less_proposed(
    kind: PairKind, found: RunInput, reconsidered: Sequence[Proposal]
) -> list[tables.OfferRow]:
    """The offers with what is proposed otherwise taken off their room."""
    others = Proposal.objects.filter(
        **{f"{kind.offer_field}__in": [int(row.id) for row in found.offers]}
    ).exclude(pk__in=[each.pk for each in reconsidered])
    amounts = _amounts_by_offer(kind, others)
    counts = _counts_by_offer(kind, others)
    rows = []
    for row in found.offers:
        room, pk = room_of(row, found.policy_row.oversubscription_ppm), int(row.id)
        taken = match_rows.fen(amounts.get(pk, Decimal(0)))
        count = None if room.count is None else max(0, room.count - counts.get(pk, 0))
        rows.append(
            _with_room(row, max(0, room.fen - taken), count, found.policy_row.oversubscription_ppm)
        )
    return rows


def _counts_by_offer(kind: PairKind, proposals: QuerySet[Proposal]) -> dict[int, int]:
    rows = proposals.values(kind.offer_id).annotate(count=Count("pk")).order_by()
    return {row[kind.offer_id]: row["count"] for row in rows}


def _with_room(
    row: tables.OfferRow, room_fen: int, room_count: int | None, oversubscription_ppm: int
) -> tables.OfferRow:
    """The offer with exactly this room, which is at most its own: more of it counts as held."""
    free = room_of(replace(row, held_fen=0, held_count=0), oversubscription_ppm)
    held_count = row.held_count
    if free.count is not None and room_count is not None:
        held_count = free.count - room_count
    return replace(row, held_fen=free.fen - room_fen, held_count=held_count)
