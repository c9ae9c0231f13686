"""Capacity of an offer (DOMAIN 3): booked by terms, given back when they end; called by services.

Booked = the sums over the standing terms (offered or accepted, and so completed) of the offer's
matches: their amount, after completion what was drawn down. All functions count anew under the
lock of the offer, so calling one twice, or before or after the terms themselves change, comes to
the same; the CHECK of the offer stands behind.

Lock order: matches first (by id), offers after them (loans before insurances, by id), and no match
after an offer. Whoever ends several matches ends all of them, then calls `release_all` once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, Sum
from django.db.models.functions import Coalesce
from django.db.transaction import TransactionManagementError

from financing.models.insurance_offers import InsuranceOffer
from financing.models.loan_offers import LoanOffer
from financing.models.matches import Match
from financing.models.terms import Terms, TermsStatus
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record

STANDING_TERMS = (TermsStatus.OFFERED.value, TermsStatus.ACCEPTED.value)


class CapacityExhausted(Exception):
    """Nothing was booked. `free_amount` in yuan; `free_count` is None where no number is set."""

    def __init__(self, free_amount: Decimal, free_count: int | None = None) -> None:
        super().__init__(f"free: {free_amount}, {free_count}")
        self.free_amount = free_amount
        self.free_count = free_count


@dataclass(frozen=True, slots=True)
class Booked:
    """What stands against an offer: yuan and number of terms."""

    amount: Decimal
    count: int


def book(*, actor: Actor, match: Match, amount: Decimal) -> Decimal:
    """Book `amount` yuan of the offer of `match`, which the caller has locked; what is free then.

    Replaces what the match had booked before. Must be called in the transaction that creates the
    terms. Raises CapacityExhausted, and ValueError for an amount that is not positive.
    """
    _refuse_outside_transaction()
    if amount <= 0:
        raise ValueError("Only a positive amount can be booked.")
    offer = _locked_offer(_offer_key(match))
    others = _booked_by(offer, except_match=match)
    free_amount = offer.capacity_amount - others.amount
    free_count = None if offer.capacity_count is None else offer.capacity_count - others.count
    if amount > free_amount or (free_count is not None and free_count < 1):
        raise CapacityExhausted(max(free_amount, Decimal(0)), free_count)
    _store(offer, Booked(others.amount + amount, others.count + 1))
    record(
        Verb.CAPACITY_BOOKED,
        actor=actor,
        obj=match,
        data={"offer": str(offer._meta.label_lower), "id": offer.pk, "amount": amount},
    )
    return free_amount - amount


def release(*, actor: Actor, match: Match) -> Decimal:
    """End the standing terms of `match` and give back what they booked; the yuan given back."""
    return release_all(actor=actor, matches=[match])


def release_all(*, actor: Actor, matches: Iterable[Match]) -> Decimal:
    """`release` for several matches, whose offers are locked in one order: no deadlock.

    The caller has locked the matches. One without booked terms gives back nothing and is no error.
    """
    _refuse_outside_transaction()
    by_offer: dict[tuple[bool, int], list[Match]] = {}
    for match in matches:
        by_offer.setdefault(_offer_key(match), []).append(match)
    given_back = Decimal(0)
    for key in sorted(by_offer):
        given_back += _release_of(_locked_offer(key), by_offer[key], actor)
    return given_back


def settle(*, actor: Actor, match: Match) -> Decimal:
    """Count anew what stands against the offer, after terms of `match` changed; yuan given back."""
    _refuse_outside_transaction()
    return _store_counted(_locked_offer(_offer_key(match)), [match], actor)


def free_capacity(offer: LoanOffer | InsuranceOffer) -> tuple[Decimal, int | None]:
    """Yuan and number of terms that could still be booked, as the counters say; for pages."""
    free_count = None if offer.capacity_count is None else offer.capacity_count - offer.booked_count
    return offer.capacity_amount - offer.booked_amount, free_count


def _release_of(offer: LoanOffer | InsuranceOffer, matches: list[Match], actor: Actor) -> Decimal:
    Terms.objects.filter(match__in=matches, status__in=STANDING_TERMS).update(
        status=TermsStatus.ENDED
    )
    return _store_counted(offer, matches, actor)


def _store_counted(
    offer: LoanOffer | InsuranceOffer, matches: list[Match], actor: Actor
) -> Decimal:
    left = _booked_by(offer)
    given_back = offer.booked_amount - left.amount
    if (left.amount, left.count) == (offer.booked_amount, offer.booked_count):
        return Decimal(0)
    _store(offer, left)
    for match in matches:
        record(
            Verb.CAPACITY_RELEASED,
            actor=actor,
            obj=match,
            data={
                "offer": str(offer._meta.label_lower),
                "id": offer.pk,
                "booked_before": offer.booked_amount,
                "booked_after": left.amount,
            },
        )
    return given_back


def _offer_key(match: Match) -> tuple[bool, int]:
    """Which offer, in the order offers are locked."""
    if match.loan_offer_id is not None:
        return False, match.loan_offer_id
    assert match.insurance_offer_id is not None
    return True, match.insurance_offer_id


def _locked_offer(key: tuple[bool, int]) -> LoanOffer | InsuranceOffer:
    # NO KEY: matches that only refer to the offer may still be written meanwhile.
    is_insurance, pk = key
    model = InsuranceOffer if is_insurance else LoanOffer
    offer: LoanOffer | InsuranceOffer = model.objects.select_for_update(no_key=True).get(pk=pk)
    return offer


def _booked_by(offer: LoanOffer | InsuranceOffer, *, except_match: Match | None = None) -> Booked:
    standing = Terms.objects.filter(status__in=STANDING_TERMS)
    if isinstance(offer, LoanOffer):
        standing = standing.filter(match__loan_offer=offer)
    else:
        standing = standing.filter(match__insurance_offer=offer)
    if except_match is not None:
        standing = standing.exclude(match=except_match)
    sums = standing.aggregate(amount=Sum(Coalesce("drawn_amount", "amount")), count=Count("pk"))
    return Booked(sums["amount"] or Decimal(0), sums["count"])


def _store(offer: LoanOffer | InsuranceOffer, booked: Booked) -> None:
    type(offer)._default_manager.filter(pk=offer.pk).update(
        booked_amount=booked.amount, booked_count=booked.count
    )


def _refuse_outside_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise TransactionManagementError("Capacity is booked and released in a transaction.")
