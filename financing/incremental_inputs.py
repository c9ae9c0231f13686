"""What a run over one request or one offer decides on; `services.incremental_runs` calls it.

Only rows that can matter are read: the offers that fit the request, the requests the offer may
suit. The matcher's result is the one it would have with all of them.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from django.db.models import Count, Q, Sum

from financing import match_rows
from financing.id_arrays import one_of
from financing.kind_rows import rows_of
from financing.live_offers import live_offer_rows, with_current_use
from financing.match_runs import current_policy
from financing.matching import tables
from financing.matching.finalists import Fit, finalists
from financing.matching.policy import MatchingPolicy as PolicyRow
from financing.matching.rooms import room_of
from financing.matching.values import (
    alternative_value_fen,
    coverage_value_fen,
    first_value_fen,
)
from financing.models import Proposal
from financing.offer_takers import requests_to_decide
from financing.pair_kinds import AnyOffer, PairKind
from financing.request_fits import fitting_offers
from financing.run_inputs import RunInput, in_matching, live_offers, read_rows, with_room
from financing.snapshot.records import request_records
from financing.suitable_requests import may_suit


def read_request_run(kind: PairKind, request_id: int, on: date) -> RunInput:
    """One request against every live offer, within the room that standing proposals leave."""
    requests = list(in_matching(kind).filter(pk=request_id))
    own = tuple(Proposal.objects.filter(**{kind.request_field: request_id}))
    found = read_rows(requests, [], on)
    if not requests:
        return replace(found, reconsidered=own)
    live = live_offer_rows(kind, on)
    request, policy = found.requests[0], found.policy_row
    fits = fitting_offers(request, live, policy)
    rows = less_proposed(kind, with_current_use(kind, [fit.offer for fit in fits], on), policy, own)
    coverage = coverage_value_fen(request, policy)
    with_places = [
        Fit(
            row,
            fit.amount_fen,
            first_value_fen(coverage, fit.saving_fen, row.delivery_ppm),
            alternative_value_fen(fit.saving_fen, row.delivery_ppm, policy),
        )
        for fit, row in zip(fits, rows, strict=True)
        if room_of(row, policy.oversubscription_ppm).takes(fit.amount_fen)
    ]
    standing = {match.institution_id for match in found.standing}
    chosen = finalists(
        [fit for fit in with_places if fit.offer.institution_id not in standing],
        policy.max_proposals_count,
        kept={str(getattr(each, kind.offer_id)) for each in own},
        in_doubt={row.institution_id for row in found.decided},
    )
    return replace(found, offers=chosen, reconsidered=own, offer_count=len(live))


def read_offer_run(kind: PairKind, offer_id: int, on: date) -> RunInput:
    """One offer against the requests it may suit; their provisional proposals are decided on
    again beside it, those of a full run stand until the next one.

    A provisional proposal gives way where the offer is better by the policy's margin (MATCHING 1),
    and never takes more of its own offer than it has now.
    """
    of_offer = {kind.offer_field: offer_id}
    own = list(Proposal.objects.filter(**of_offer))
    offers = list(live_offers(kind).filter(pk=offer_id))
    if not offers:
        return replace(read_rows([], [], on), reconsidered=tuple(own))
    deciding = kind.requests._default_manager.in_matching().filter(_deciding(kind, offers, on))
    # Hundreds: as records, which cost a fraction of models.
    requests = request_records(kind, deciding.order_by("pk"))
    held = {f"{kind.request_field}__in": [request.pk for request in requests]}
    others = Proposal.objects.filter(**held).exclude(**of_offer)
    kept = others.filter(is_provisional=False).select_related(kind.offer_field)
    reconsidered = [*own, *others.filter(is_provisional=True)]
    rivals = {getattr(each, kind.offer_id) for each in reconsidered} - {offer_id}
    found = read_rows(requests, [*offers, *live_offers(kind).filter(pk__in=rivals)], on)
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
        offers=less_proposed(kind, found.offers, found.policy_row, reconsidered),
        standing=[*found.standing, *standing],
        fresh=frozenset({(kind.name, str(offer_id))}),
        reconsidered=tuple(reconsidered),
    )


def _deciding(kind: PairKind, offers: Sequence[AnyOffer], on: date) -> Q:
    """Which requests are decided on beside the offer: those it fits, from the columns; else, where
    there are none or they are out of date, those it may suit."""
    offer = rows_of(kind).offer_rows(offers, on)[0]
    if isinstance(offer, tables.LoanOfferRow):
        ids = requests_to_decide(offer, match_rows.policy_row(current_policy(on), on))
        if ids is not None:
            return Q(pk__in=ids)
    return may_suit(offer, on)


def less_proposed(
    kind: PairKind,
    offers: Sequence[tables.OfferRow],
    policy: PolicyRow,
    reconsidered: Sequence[Proposal],
) -> list[tables.OfferRow]:
    """The offers with what is proposed otherwise taken off their room."""
    taken = {
        row[kind.offer_id]: row
        for row in Proposal.objects.filter(
            one_of(Proposal, kind.offer_id, [int(row.id) for row in offers])
        )
        .exclude(pk__in=[each.pk for each in reconsidered])
        .values(kind.offer_id)
        .annotate(amount=Sum("amount"), count=Count("pk"))
        .order_by()
    }
    rows = []
    for row in offers:
        own = taken.get(int(row.id))
        if own is None:
            rows.append(row)
            continue
        room = room_of(row, policy.oversubscription_ppm)
        count = None if room.count is None else max(0, room.count - own["count"])
        fen = max(0, room.fen - match_rows.fen(own["amount"]))
        rows.append(with_room(row, fen, count, policy.oversubscription_ppm))
    return rows
