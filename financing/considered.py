"""Whether a match run has looked at a pair as it is now; `match_runs` asks before it says why not.

Nothing of a run is stored pair by pair (MATCHING 2): what it looked at follows from when it ran and
over what. What waits in the outbox for the request or the offer has still to be looked at.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Max, Q

from financing.models.match_runs import MatchRun, RunKind, RunStatus
from financing.models.requests import REQUEST_MATCHING_STATUSES
from financing.pair_kinds import AnyOffer, AnyRequest, kind_of
from sipo_portal.outbox.models import OutboxMessage


class _Look(NamedTuple):
    """When the latest run began to read, and the day it took as today."""

    started_at: datetime
    as_of: date


def considered_offers(request: AnyRequest, offers: Sequence[AnyOffer]) -> frozenset[int]:
    """Ids of the offers that a run has looked at for the request, both being as they are now.

    None for a request outside matching. In two queries whatever the number of offers.
    """
    if request.status not in REQUEST_MATCHING_STATUSES or request.submitted_at is None:
        return frozenset()
    kind = kind_of(request)
    waiting = OutboxMessage.objects.filter(done_at=None)
    of_request = Q(task=kind.match_request_task, payload__request_id=request.pk)
    of_offers = Q(task=kind.match_offer_task, payload__offer_id__in=[offer.pk for offer in offers])
    payloads = waiting.filter(of_request | of_offers).values_list("payload", flat=True)
    unread = {payload.get("offer_id") for payload in payloads}
    if None in unread:
        return frozenset()
    code = request.business.region_id
    over_all = Q(scope_prefix__in=[code[:length] for length in (0, 2, 4, 6)], kind=RunKind.FULL)
    over_it = Q(**{kind.request_field: request})
    over_one = Q(**{f"{kind.offer_field}__in": offers})
    # One group per offer; runs over many offers name none.
    rows = (
        MatchRun.objects.written()
        .filter(over_all | over_it | over_one)
        .filter(status=RunStatus.DONE, started_at__gte=request.submitted_at, as_of__isnull=False)
        .values_list(kind.offer_id)
        .annotate(started_at=Max("started_at"), as_of=Max("as_of"))
        .order_by()
    )
    looks = {pk: _Look(started_at, as_of) for pk, started_at, as_of in rows}
    return frozenset(
        offer.pk
        for offer in offers
        if offer.pk not in unread
        and (_has_seen(looks.get(None), offer) or _has_seen(looks.get(offer.pk), offer))
    )


def _has_seen(look: _Look | None, offer: AnyOffer) -> bool:
    """The run came after the offer was posted, on a day it was open."""
    if look is None or look.as_of < offer.opens_on:
        return False
    return offer.published_at is None or offer.published_at <= look.started_at
