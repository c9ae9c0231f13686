"""What one run of the matcher decides on, and its result as rows; `services.match_runs` calls it.

A run reads rows of one moment through `match_rows`, hands them to the matcher and gives back
proposals that are not saved yet. Nothing here writes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum

from financing import match_rows
from financing.match_rows import with_criteria, with_matching_facts, yuan
from financing.match_runs import current_policy
from financing.matching import tables
from financing.matching.columns import PPM
from financing.matching.engine import propose_matches
from financing.matching.policy import MatchingPolicy as PolicyRow
from financing.matching.results import MatchingResult
from financing.matching.rooms import room_of
from financing.models import LoanOffer, LoanRequest, MatchingPolicy, MatchRun, Proposal
from financing.models.requests import REQUEST_MATCHING_STATUSES


@dataclass(frozen=True)
class RunInput:
    """What one run decides on: rows of a moment, and the records they came from."""

    policy: MatchingPolicy
    policy_row: PolicyRow
    requests: list[tables.LoanRequestRow]
    offers: list[tables.LoanOfferRow]
    decided: list[tables.DecidedPair]
    standing: list[tables.StandingMatch]
    previous: list[tables.PreviousProposal]
    business_ids: dict[str, int]


def read_full_run(run: MatchRun, on: date) -> RunInput:
    """Every request in matching inside the run's region, and every live offer.

    A regional run gets of each offer the region's share (MATCHING 4).
    """
    requests = list(
        with_matching_facts(
            LoanRequest.objects.in_matching().filter(
                business__region__code__startswith=run.scope_prefix
            )
        ).order_by("pk")
    )
    offers = list(with_criteria(LoanOffer.objects.live()).order_by("pk"))
    found = _read(requests, offers, on)
    if not run.scope_prefix:
        return found
    shares = regional_shares(run.scope_prefix, offers)
    rows = [
        _with_share(row, shares[offer.pk], found.policy_row.oversubscription_ppm)
        for offer, row in zip(offers, found.offers, strict=True)
    ]
    return replace(found, offers=rows)


def read_request_run(request_id: int, on: date) -> RunInput:
    """One request against every live offer, within the room that standing proposals leave."""
    requests = list(with_matching_facts(LoanRequest.objects.in_matching().filter(pk=request_id)))
    offers = list(with_criteria(LoanOffer.objects.live()).order_by("pk"))
    found = _read(requests, offers, on)
    others = Proposal.objects.exclude(loan_request_id=request_id)
    return replace(found, offers=_less_proposed(found, offers, others))


def read_offer_run(offer_id: int, on: date) -> RunInput:
    """One offer against the open requests with a free place; what they have counts as standing."""
    offers = list(with_criteria(LoanOffer.objects.live().filter(pk=offer_id)))
    requests = list(
        with_matching_facts(LoanRequest.objects.in_matching()).order_by("pk") if offers else []
    )
    found = _read(requests, offers, on)
    kept = Proposal.objects.filter(loan_request__in=[request.pk for request in requests]).exclude(
        loan_offer_id=offer_id
    )
    standing = [
        tables.StandingMatch(
            kind="loan",
            request_id=str(proposal.loan_request_id),
            offer_id=str(proposal.loan_offer_id),
            institution_id=str(proposal.loan_offer.institution_id),
            is_within_deadline=True,
        )
        for proposal in kept.select_related("loan_offer")
        if proposal.loan_offer is not None
    ]
    return replace(found, standing=[*found.standing, *standing], previous=[])


def _read(requests: list[LoanRequest], offers: list[LoanOffer], on: date) -> RunInput:
    policy = current_policy(on)
    ids = [request.pk for request in requests]
    return RunInput(
        policy=policy,
        policy_row=match_rows.policy_row(policy, on),
        requests=match_rows.loan_request_rows(requests, on),
        offers=match_rows.loan_offer_rows(offers, on),
        decided=match_rows.decided_rows(ids),
        standing=match_rows.standing_rows(ids, on),
        previous=match_rows.previous_rows(ids),
        business_ids={str(request.pk): request.business_id for request in requests},
    )


def decide(found: RunInput) -> MatchingResult:
    """Run the matcher; the same input gives the same result, byte for byte."""
    return propose_matches(
        found.requests,
        found.offers,
        found.policy_row,
        decided=found.decided,
        standing=found.standing,
        previous=found.previous,
    )


def proposals_of(
    result: MatchingResult, found: RunInput, run: MatchRun, *, is_provisional: bool
) -> list[Proposal]:
    """The result as unsaved rows of `run`."""
    return [
        Proposal(
            run=run,
            business_id=found.business_ids[proposal.request_id],
            loan_request_id=int(proposal.request_id),
            loan_offer_id=int(proposal.offer_id),
            rank=proposal.rank,
            is_provisional=is_provisional,
            amount=yuan(proposal.amount_fen),
            saving=yuan(proposal.saving_fen),
            patent_ids=[int(patent_id) for patent_id in proposal.patent_ids],
        )
        for proposal in result.proposals
    ]


def allotment(
    proposals: Iterable[Proposal], requests: Iterable[tables.LoanRequestRow]
) -> dict[str, dict[str, str]]:
    """Yuan proposed by offer id and division of the business, as text for JSON."""
    divisions = {int(row.id): row.region_code for row in requests}
    amounts: dict[str, dict[str, Decimal]] = {}
    for proposal in proposals:
        assert proposal.loan_request_id is not None
        by_division = amounts.setdefault(str(proposal.loan_offer_id), {})
        code = divisions[proposal.loan_request_id]
        by_division[code] = by_division.get(code, Decimal(0)) + proposal.amount
    return {
        offer: {code: str(amount) for code, amount in sorted(by_division.items())}
        for offer, by_division in amounts.items()
    }


def regional_shares(scope_prefix: str, offers: Sequence[LoanOffer]) -> dict[int, Decimal]:
    """Of each offer, the part a region may use: its part of the last national run's proposals,
    else its part of the principal that is open in the country (MATCHING 4)."""
    national = match_rows.last_national_run()
    allotted = national.allotted if national is not None else {}
    totals: dict[int, Decimal] = {}
    inside: dict[int, Decimal] = {}
    for offer_id, by_division in allotted.items():
        amounts = {code: Decimal(amount) for code, amount in by_division.items()}
        totals[int(offer_id)] = sum(amounts.values(), Decimal(0))
        inside[int(offer_id)] = sum(
            (amount for code, amount in amounts.items() if code.startswith(scope_prefix)),
            Decimal(0),
        )
    open_requests = LoanRequest.objects.filter(status__in=REQUEST_MATCHING_STATUSES)
    everywhere = open_requests.aggregate(total=Sum("principal"))["total"] or Decimal(0)
    here = open_requests.filter(business__region__code__startswith=scope_prefix).aggregate(
        total=Sum("principal")
    )["total"] or Decimal(0)
    by_principal = here / everywhere if everywhere else Decimal(0)
    return {
        offer.pk: inside.get(offer.pk, Decimal(0)) / totals[offer.pk]
        if totals.get(offer.pk)
        else by_principal
        for offer in offers
    }


def _amounts_by_offer(proposals: QuerySet[Proposal]) -> dict[int, Decimal]:
    rows = proposals.values("loan_offer_id").annotate(amount=Sum("amount"))
    return {row["loan_offer_id"]: row["amount"] for row in rows}


def _with_share(
    row: tables.LoanOfferRow, share: Decimal, oversubscription_ppm: int
) -> tables.LoanOfferRow:
    """The offer with the room `share` of its own; booked and held are already taken off."""
    room = room_of(row, oversubscription_ppm)
    return _with_room(
        row,
        int(room.fen * share),
        None if room.count is None else int(room.count * share),
        oversubscription_ppm,
    )


def _less_proposed(
    found: RunInput, offers: Sequence[LoanOffer], others: QuerySet[Proposal]
) -> list[tables.LoanOfferRow]:
    """The offers with what is proposed to other requests taken off their room."""
    amounts = _amounts_by_offer(others.filter(loan_offer__in=[offer.pk for offer in offers]))
    counts = _counts_by_offer(others)
    rows = []
    for offer, row in zip(offers, found.offers, strict=True):
        room = room_of(row, found.policy_row.oversubscription_ppm)
        taken = match_rows.fen(amounts.get(offer.pk, Decimal(0)))
        count = None if room.count is None else max(0, room.count - counts.get(offer.pk, 0))
        rows.append(
            _with_room(row, max(0, room.fen - taken), count, found.policy_row.oversubscription_ppm)
        )
    return rows


def _counts_by_offer(proposals: QuerySet[Proposal]) -> dict[int, int]:
    rows = proposals.values("loan_offer_id").annotate(count=Count("pk"))
    return {row["loan_offer_id"]: row["count"] for row in rows}


def _with_room(
    row: tables.LoanOfferRow, room_fen: int, room_count: int | None, oversubscription_ppm: int
) -> tables.LoanOfferRow:
    """The offer with exactly this room: what the matcher's capacity formula gives back."""
    return replace(
        row,
        capacity_fen=_capacity_for(room_fen, oversubscription_ppm),
        booked_fen=0,
        held_fen=0,
        capacity_count=None
        if room_count is None
        else _capacity_for(room_count, oversubscription_ppm),
        booked_count=0,
        held_count=0,
    )


def _capacity_for(room: int, oversubscription_ppm: int) -> int:
    """The largest capacity whose oversubscribed room does not exceed `room`."""
    return room * PPM // oversubscription_ppm
