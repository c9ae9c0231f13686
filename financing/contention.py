"""Which provisional proposals wait for the next full run, and when that is; services and pages ask.

The rule is `matching.contention`; here are the figures it takes, read for many offers at once.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta

from django.db.models import Count, Sum
from django.utils import timezone

from financing.match_rows import HeldCapacity, fen, held_by_offer, ppm
from financing.match_runs import current_policy
from financing.matching.contention import Contention, contention
from financing.matching.rooms import Room, room_left
from financing.models.match_runs import MatchRun
from financing.models.proposals import Proposal
from financing.pair_kinds import KINDS, AnyOffer, PairKind, kind_of
from financing.standing_rows import last_national_run, price_key

# Beat asks for the night's run until then (settings, nightly-matching).
NIGHT_ENDS_AT_HOUR = 6


def contentions(proposals: Iterable[Proposal], *, on: date) -> dict[int, Contention]:
    """Those of the proposals that wait, by id; seven queries at most, whatever their number."""
    provisional = [each for each in proposals if each.is_provisional]
    if not provisional:
        return {}
    last = last_national_run()
    priced = {*last.prices, *last.count_prices} if last is not None else set()
    oversubscription = ppm(current_policy(on).oversubscription * 100)
    found: dict[int, Contention] = {}
    for kind in KINDS:
        own = [each for each in provisional if kind_of(each) is kind]
        if not own:
            continue
        by_offer = _of_offers(kind, {each.offer for each in own}, priced, oversubscription)
        for each in own:
            why = by_offer[getattr(each, kind.offer_id)]
            if why is not None:
                found[each.pk] = why
    return found


def contention_of(proposal: Proposal, *, on: date) -> Contention | None:
    """Why this proposal waits, or None where it may be claimed."""
    return contentions([proposal], on=on).get(proposal.pk)


def next_full_run_on(now: datetime) -> date:
    """The day in whose early morning the next run over the country comes."""
    today = timezone.localdate(now)
    if timezone.localtime(now).hour >= NIGHT_ENDS_AT_HOUR:
        return today + timedelta(days=1)
    has_run = MatchRun.objects.filter(nightly_of=today, finished_at__isnull=False).exists()
    return today + timedelta(days=1) if has_run else today


def _of_offers(
    kind: PairKind,
    offers: Iterable[AnyOffer],
    priced: Collection[str],
    oversubscription_ppm: int,
) -> dict[int, Contention | None]:
    # Booked as committed now, not as read with the proposals.
    ids = [offer.pk for offer in offers]
    held = held_by_offer(kind.offer_field, ids)
    proposed = {
        row[kind.offer_id]: row
        for row in Proposal.objects.filter(**{f"{kind.offer_field}__in": ids})
        .values(kind.offer_id)
        .annotate(amount=Sum("amount"), count=Count("pk"))
        .order_by()
    }
    nothing = HeldCapacity()
    found: dict[int, Contention | None] = {}
    for offer in kind.offers._default_manager.filter(pk__in=ids).only(
        "capacity_amount", "booked_amount", "capacity_count", "booked_count"
    ):
        own, asked = held.get(offer.pk, nothing), proposed.get(offer.pk)
        count = None
        if offer.capacity_count is not None:
            count = room_left(
                offer.capacity_count, offer.booked_count, own.count, oversubscription_ppm
            )
        room = room_left(
            fen(offer.capacity_amount),
            fen(offer.booked_amount),
            fen(own.amount),
            oversubscription_ppm,
        )
        found[offer.pk] = contention(
            has_price=price_key(kind.name, str(offer.pk)) in priced,
            room=Room(room, count),
            proposed_fen=fen(asked["amount"]) if asked else 0,
            proposed_count=asked["count"] if asked else 0,
        )
    return found
