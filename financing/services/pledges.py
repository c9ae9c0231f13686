"""Patents as collateral of an accepted loan: planned, registered, released (DOMAIN 3 and 4.4).

Called by `acceptances` and `completions` in their transactions and by the lender's admin. A patent
is in at most one live pledge: a unique constraint on its application number decides, not a look. A
renewal by the same pledgee waits planned behind the registered pledge and replaces it in one step.

Lock order: the match, then pledges by id.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from businesses.models.patents import Patent
from financing import notifications
from financing.guarantees import guarantees_taking_pledges
from financing.lifecycles import PLEDGE
from financing.models.institutions import Institution
from financing.models.matches import Match, MatchStatus
from financing.models.pledges import PLEDGE_LIVE_STATUSES, Pledge, PledgeStatus
from financing.pledge_contracts import PledgeContract
from financing.services.money_refusals import MoneyRefusal, MoneyRefused
from financing.services.pledge_contracts import check_contract, enter_contract
from financing.services.rematching import rematch_businesses
from sipo_portal.audit.actors import Actor
from sipo_portal.workflow.advance import advance

PLEDGING_STATUSES = (MatchStatus.ACCEPTED, MatchStatus.COMPLETED)


def pledgee_of(match: Match, *, on: date) -> Institution:
    """Who is planned to take it: the first guarantee company beside the loan that does, else the
    lender. The contract, typed with the registration, may name another of them.

    Creditor stays the lender in either case (DOMAIN 3).
    """
    guarantee = next(iter(guarantees_taking_pledges(match, on=on)), None)
    return match.institution if guarantee is None else guarantee.institution


def plan_pledges(*, actor: Actor, match: Match) -> list[Pledge]:
    """A planned pledge of every patent of the stored basket; the caller holds the lock of `match`.

    Must be called in the transaction of the acceptance. Raises MoneyRefused(PATENT_PLEDGED) with
    the application numbers that somebody else has in a live pledge, also one made this moment.
    """
    patents = list(match.patents.order_by("application_number"))
    pledgee = pledgee_of(match, on=timezone.localdate())
    numbers = [patent.application_number for patent in patents]
    renewed = _renewable(numbers, pledgee)
    pledges = [_planned(match, patent, pledgee, renewed) for patent in patents]
    try:
        with transaction.atomic():
            # In the order of the numbers: two acceptances that meet wait, and never for each other.
            return Pledge.objects.bulk_create(pledges)
    except IntegrityError:
        taken = _live(numbers).exclude(match=match).order_by("application_number")
        raise MoneyRefused(
            MoneyRefusal.PATENT_PLEDGED,
            dict.fromkeys(taken.values_list("application_number", flat=True)),
        )


@transaction.atomic
def register_pledge(
    *,
    actor: Actor,
    pledge: Pledge,
    registration_number: str,
    registered_on: date,
    contract: PledgeContract,
) -> Pledge:
    """The register has entered the pledge: its number and day. A renewed one is released by it.

    The same number and day posted again change nothing. Raises MoneyRefused (CONTRACT_INCOMPLETE
    and what else the contract lacks), TransitionRefused.
    """
    number = registration_number.strip()
    match, locked = _locked(pledge)
    if locked.status == PledgeStatus.REGISTERED:
        if (locked.registration_number, locked.registered_on) == (number, registered_on):
            return locked
        raise MoneyRefused(MoneyRefusal.REGISTERED_DIFFERENTLY, [locked.registration_number])
    if match.status != MatchStatus.ACCEPTED:
        raise MoneyRefused(MoneyRefusal.NOT_ACCEPTED)
    if not number:
        raise MoneyRefused(MoneyRefusal.NUMBER_MISSING)
    _refuse_day(registered_on, not_before=timezone.localdate(locked.created_at))
    check_contract(contract, locked, registered_on=registered_on)
    columns = enter_contract(contract, locked)
    if locked.renews_id is not None:
        before = Pledge.objects.get(pk=locked.renews_id)
        if before.status == PledgeStatus.REGISTERED:
            _release(actor, before, registered_on, because="renewed")
    locked.registration_number, locked.registered_on = number, registered_on
    locked.save(update_fields=["registration_number", "registered_on", *columns])
    advance(PLEDGE, locked, "register", actor=actor, data={"number": number})
    notifications.pledge_registered(locked)
    return locked


@transaction.atomic
def release_pledge(*, actor: Actor, pledge: Pledge, released_on: date) -> Pledge:
    """The register has struck out the pledge: the patent is free, or its renewal comes forward.

    Releasing what is released changes nothing. Raises MoneyRefused and TransitionRefused.
    """
    _match, locked = _locked(pledge)
    if locked.status == PledgeStatus.RELEASED:
        return locked
    if locked.registered_on is not None:
        _refuse_day(released_on, not_before=locked.registered_on)
    _release(actor, locked, released_on, because="lender")
    # What was to replace it stands for itself now, and takes the patent in the same step.
    Pledge.objects.filter(renews=locked, status=PledgeStatus.PLANNED).update(renews=None)
    # Whoever else owns the patent has a free one now.
    owners = Patent.objects.filter(application_number=locked.application_number)
    rematch_businesses(owners.values_list("business_id", flat=True))
    notifications.pledge_released(locked)
    return locked


def cancel_planned(*, actor: Actor, match: Match) -> int:
    """Give up the planned pledges of `match`, which the caller has locked; how many there were."""
    planned = list(
        Pledge.objects.select_for_update()
        .filter(match=match, status=PledgeStatus.PLANNED)
        .order_by("pk")
    )
    for pledge in planned:
        advance(PLEDGE, pledge, "cancel", actor=actor)
    return len(planned)


def has_taken_patents(matches: Sequence[Match]) -> dict[UUID, bool]:
    """By id of the match: a patent of its basket is in a live pledge it could not renew."""
    pairs = list(
        Match.patents.through.objects.filter(match__in=matches).values_list(
            "match_id", "patent__application_number"
        )
    )
    live: dict[str, list[Pledge]] = {}
    for pledge in _live({number for _pk, number in pairs}):
        live.setdefault(pledge.application_number, []).append(pledge)
    institutions = {match.pk: match.institution_id for match in matches}
    taken = dict.fromkeys(institutions, False)
    for match_id, number in pairs:
        for pledge in live.get(number, []):
            is_renewable = (
                pledge.status == PledgeStatus.REGISTERED
                and pledge.pledgee_id == institutions[match_id]
            )
            taken[match_id] |= not is_renewable
    return taken


def _planned(
    match: Match, patent: Patent, pledgee: Institution, renewed: dict[str, Pledge]
) -> Pledge:
    return Pledge(
        match=match,
        patent=patent,
        application_number=patent.application_number,
        creditor_id=match.institution_id,
        pledgee=pledgee,
        renews=renewed.get(patent.application_number),
        status=PledgeStatus.PLANNED,
        status_changed_at=timezone.now(),
    )


def _renewable(numbers: Sequence[str], pledgee: Institution) -> dict[str, Pledge]:
    """Registered pledges of the same pledgee, locked: they are replaced, not in the way."""
    registered = (
        Pledge.objects.select_for_update(of=("self",))
        .filter(application_number__in=numbers, status=PledgeStatus.REGISTERED, pledgee=pledgee)
        .order_by("pk")
    )
    return {pledge.application_number: pledge for pledge in registered}


def _live(numbers: Iterable[str]) -> QuerySet[Pledge]:
    return Pledge.objects.filter(
        application_number__in=list(numbers), status__in=PLEDGE_LIVE_STATUSES
    )


def _locked(pledge: Pledge) -> tuple[Match, Pledge]:
    """The pledge with its match, and with what it renews or is renewed by, all locked."""
    match = Match.objects.select_for_update().get(pk=pledge.match_id)
    group = (
        Pledge.objects.select_for_update(of=("self",))
        .filter(Q(pk=pledge.pk) | Q(renews=pledge) | Q(renewals=pledge))
        .order_by("pk")
    )
    rows = {row.pk: row for row in group}
    return match, rows[pledge.pk]


def _release(actor: Actor, pledge: Pledge, released_on: date, *, because: str) -> None:
    advance(PLEDGE, pledge, "release", actor=actor, data={"because": because})
    pledge.released_on = released_on
    pledge.save(update_fields=["released_on"])


def _refuse_day(day: date, *, not_before: date) -> None:
    if day > timezone.localdate():
        raise MoneyRefused(MoneyRefusal.IN_THE_FUTURE)
    if day < not_before:
        raise MoneyRefused(MoneyRefusal.BEFORE_ACCEPTANCE, [not_before])
