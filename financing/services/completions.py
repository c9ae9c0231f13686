"""From acceptance to the money, or back again: drawdown, completion, fall-through (DOMAIN 3).

Called by the lender's admin, by the owner's pages and by the clock. Lock order as in `acceptances`:
businesses, requests, matches, then what hangs on them, offers last.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from financing import notifications
from financing.lifecycles import MATCH, REQUEST
from financing.match_runs import current_policy, rules_failing_now
from financing.models.drawdowns import Drawdown
from financing.models.insurance_policies import InsurancePolicy
from financing.models.insurance_requests import InsuranceRequest
from financing.models.loan_requests import LoanRequest
from financing.models.matches import Match, MatchStatus
from financing.models.pledges import Pledge, PledgeStatus
from financing.models.requests import RequestStatus
from financing.models.terms import Terms, TermsStatus
from financing.services import capacity
from financing.services.acceptances import basket_numbers, lock_matches, of_request
from financing.services.clocks import Stage, end_clock, start_clock
from financing.services.matches import Reason, decide, refuse_missing_text
from financing.services.money_refusals import MoneyRefusal, MoneyRefused
from financing.services.pledges import cancel_planned, has_taken_patents
from financing.services.rematching import rematch_all
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.workflow.advance import advance

FEN = Decimal("0.01")
# Of a loan request, or of an insurance request.
RequestKey = tuple[int | None, int | None]


@transaction.atomic
def record_drawdown(
    *, actor: Actor, match: Match, amount: Decimal, drawn_on: date, reference: str
) -> Drawdown:
    """Money that went out: part or all of the terms' amount, by the lender's own reference.

    The same reference, amount and day posted again are the same drawdown. Locks the match. Raises
    MoneyRefused as `check_drawdown`.
    """
    before = check_drawdown(match=match, amount=amount, drawn_on=drawn_on, reference=reference)
    if before is not None:
        return before
    locked, reference = lock_match(match), reference.strip()
    drawdown = Drawdown.objects.create(
        match=locked, amount=amount, drawn_on=drawn_on, reference=reference, recorded_by=actor.user
    )
    data = {"match": str(locked.pk), "amount": str(amount), "drawn_on": str(drawn_on)}
    record(Verb.DRAWDOWN_RECORDED, actor=actor, obj=drawdown, data=data)
    notifications.drawdown_recorded(drawdown)
    return drawdown


@transaction.atomic
def check_drawdown(
    *, match: Match, amount: Decimal, drawn_on: date, reference: str
) -> Drawdown | None:
    """What stands against recording it is known before the lender confirms.

    The drawdown that was recorded so before, if it was. Locks the match. Raises MoneyRefused: not
    accepted, pledges not registered yet, above what is left of the terms, a day or reference that
    cannot be.
    """
    locked, reference = lock_match(match), reference.strip()
    before: Drawdown | None = Drawdown.objects.filter(match=locked, reference=reference).first()
    if before is not None:
        if (before.amount, before.drawn_on) == (amount, drawn_on):
            return before
        raise MoneyRefused(MoneyRefusal.REFERENCE_USED, [before.amount, before.drawn_on])
    if locked.loan_request_id is None:
        raise MoneyRefused(MoneyRefusal.NOT_A_LOAN)
    if locked.status != MatchStatus.ACCEPTED:
        raise MoneyRefused(MoneyRefusal.NOT_ACCEPTED)
    if not reference:
        raise MoneyRefused(MoneyRefusal.NUMBER_MISSING)
    if not amount.is_finite() or amount < FEN:
        raise MoneyRefused(MoneyRefusal.NOT_POSITIVE)
    terms = standing_terms(locked)
    left = terms.amount - drawn_total(locked)
    if amount > left:
        raise MoneyRefused(MoneyRefusal.ABOVE_TERMS, [left])
    if amount != amount.quantize(FEN):
        raise MoneyRefused(MoneyRefusal.NOT_POSITIVE)
    _refuse_drawing(locked, terms, drawn_on)
    return None


@transaction.atomic
def complete(*, actor: Actor, match: Match) -> Match:
    """The money is out, or the cover is on: match completed, request funded or covered.

    What was not drawn down is given back to the offer. Completing twice is the same as once.
    Raises MoneyRefused (nothing drawn, no policy issued) and TransitionRefused.
    """
    locked = lock_matches([match.pk])[match.pk]
    if locked.status == MatchStatus.COMPLETED:
        return locked
    if locked.status != MatchStatus.ACCEPTED:
        raise MoneyRefused(MoneyRefusal.NOT_ACCEPTED)
    terms = standing_terms(locked)
    is_loan = locked.loan_request_id is not None
    if is_loan:
        terms.drawn_amount = drawn_total(locked)
        if not terms.drawn_amount:
            raise MoneyRefused(MoneyRefusal.NOTHING_DRAWN)
        terms.save(update_fields=["drawn_amount"])
    elif not InsurancePolicy.objects.filter(match=locked).exists():
        raise MoneyRefused(MoneyRefusal.NO_POLICY_ISSUED)
    data = {"amount": str(terms.drawn_amount or terms.amount)}
    advance(MATCH, locked, "complete", actor=actor, data=data)
    advance(REQUEST, locked.request, "fund" if is_loan else "cover", actor=actor)
    end_clock(locked)
    capacity.settle(actor=actor, match=locked)
    notifications.match_completed(locked)
    return locked


@transaction.atomic
def fall_through(*, actor: Actor, match: Match, reason: Reason | None = None) -> Match:
    """The accepted match comes to nothing: everything is given back (DOMAIN 3).

    Terms ended and capacity released, planned pledges cancelled, request open again, superseded
    alternatives that still hold back in review, everybody concerned matched anew. `reason` is
    mandatory for people and absent for the clock. Falling through twice is the same as once.
    Raises MoneyRefused where pledges are registered (release them first) or money is out, and
    MatchRefused and TransitionRefused.
    """
    if reason is not None:
        refuse_missing_text(reason)
    today = timezone.localdate()
    matches = lock_matches([match.pk], _superseded_beside(match))
    locked = matches.pop(match.pk)
    if locked.status == MatchStatus.FALLEN_THROUGH:
        return locked
    _refuse_falling_through(locked)
    data = {} if reason is None else {"reason": reason.code}
    advance(MATCH, locked, "fall_through", actor=actor, data=data)
    if reason is not None:
        decide(actor, locked, "fall_through", reason)
    end_clock(locked)
    advance(REQUEST, locked.request, "reopen", actor=actor, data={"match": str(locked.pk)})
    cancel_planned(actor=actor, match=locked)
    _restore(actor, list(matches.values()), today)
    capacity.release(actor=actor, match=locked)
    freed = LoanRequest.objects.in_matching().filter(
        patents__application_number__in=basket_numbers(locked)
    )
    rematch_all([locked.request, *freed])
    notifications.fallen_through(locked, told_by=actor.kind)
    return locked


def lock_match(match: Match) -> Match:
    """The match as it is now, locked: its drawdowns are counted and added one after the other."""
    locked: Match = Match.objects.select_for_update(of=("self",)).get(pk=match.pk)
    return locked


def standing_terms(match: Match) -> Terms:
    """The terms that were accepted, locked; every accepted match has them."""
    terms: Terms = Terms.objects.select_for_update(of=("self",)).get(
        match=match, status=TermsStatus.ACCEPTED
    )
    return terms


def drawn_total(match: Match) -> Decimal:
    """Yuan that went out so far."""
    total: Decimal | None = Drawdown.objects.filter(match=match).aggregate(sum=Sum("amount"))["sum"]
    return total or Decimal(0)


def _refuse_drawing(match: Match, terms: Terms, drawn_on: date) -> None:
    if drawn_on > timezone.localdate():
        raise MoneyRefused(MoneyRefusal.IN_THE_FUTURE)
    assert terms.answered_at is not None
    accepted_on = timezone.localdate(terms.answered_at)
    if drawn_on < accepted_on:
        raise MoneyRefused(MoneyRefusal.BEFORE_ACCEPTANCE, [accepted_on])
    # A pledge exists only once registered (DOMAIN 4.4): no money before that.
    pledges = Pledge.objects.filter(match=match).exclude(status=PledgeStatus.CANCELLED)
    missing = [
        pledge.application_number
        for pledge in pledges.order_by("application_number")
        if pledge.status != PledgeStatus.REGISTERED
    ]
    if missing:
        raise MoneyRefused(MoneyRefusal.PLEDGES_NOT_REGISTERED, missing)
    days = [pledge.registered_on for pledge in pledges if pledge.registered_on is not None]
    if days and drawn_on < max(days):
        raise MoneyRefused(MoneyRefusal.BEFORE_PLEDGE, [max(days)])


def _refuse_falling_through(match: Match) -> None:
    if match.status != MatchStatus.ACCEPTED:
        raise MoneyRefused(MoneyRefusal.NOT_ACCEPTED)
    registered = Pledge.objects.filter(match=match, status=PledgeStatus.REGISTERED)
    numbers = list(registered.values_list("application_number", flat=True))
    drawn = drawn_total(match)
    if drawn:
        raise MoneyRefused(MoneyRefusal.MONEY_DRAWN, [drawn])
    if numbers:
        raise MoneyRefused(MoneyRefusal.PLEDGES_REGISTERED, sorted(numbers))


def _superseded_beside(match: Match) -> list[Any]:
    """Ids of what could come back: the request's own, and loans of anybody that need its patents.

    The caller looks at each again under its lock.
    """
    superseded = Match.objects.filter(status=MatchStatus.SUPERSEDED)
    own = superseded.filter(**of_request(match)).values_list("pk", flat=True)
    needing = superseded.filter(
        loan_request__isnull=False, patents__application_number__in=basket_numbers(match)
    ).values_list("pk", flat=True)
    return [*own, *needing]


def _restore(actor: Actor, superseded: list[Match], today: date) -> None:
    """Back into review, newest first, what still holds: request open, patents free, a free place,
    no live match with the same institution, and every rule met today."""
    is_taken = has_taken_patents(superseded)
    places = _Places(superseded, most=current_policy(today).proposals_per_request)
    for match in sorted(superseded, key=lambda each: each.created_at, reverse=True):
        if (
            match.status == MatchStatus.SUPERSEDED
            and not is_taken[match.pk]
            and places.has_place(match)
            # A handful of matches at most: those that one acceptance ended.
            and not rules_failing_now(match, on=today)
        ):
            advance(MATCH, match, "restore", actor=actor)
            start_clock(match, Stage.REVIEW, on=today)
            places.take(match)
            notifications.match_restored(match)


class _Places:
    """What open requests have room for: at most k live matches, one of an institution."""

    def __init__(self, matches: list[Match], *, most: int) -> None:
        loans = {match.loan_request_id for match in matches if match.loan_request_id}
        covers = {match.insurance_request_id for match in matches if match.insurance_request_id}
        self.most = most
        self.taken: dict[RequestKey, set[int]] = {}
        for loan in LoanRequest.objects.filter(pk__in=loans, status=RequestStatus.OPEN):
            self.taken[loan.pk, None] = set()
        for cover in InsuranceRequest.objects.filter(pk__in=covers, status=RequestStatus.OPEN):
            self.taken[None, cover.pk] = set()
        live = Match.objects.live().filter(
            Q(loan_request__in=loans) | Q(insurance_request__in=covers)
        )
        for loan_pk, cover_pk, institution in live.values_list(
            "loan_request_id", "insurance_request_id", "institution_id"
        ):
            if (loan_pk, cover_pk) in self.taken:
                self.taken[loan_pk, cover_pk].add(institution)

    def has_place(self, match: Match) -> bool:
        institutions = self.taken.get(_key(match))
        return (
            institutions is not None
            and match.institution_id not in institutions
            and len(institutions) < self.most
        )

    def take(self, match: Match) -> None:
        self.taken[_key(match)].add(match.institution_id)


def _key(match: Match) -> RequestKey:
    return match.loan_request_id, match.insurance_request_id
