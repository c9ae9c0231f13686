"""Changes to requests of either kind by their business: patents, submitting, withdrawing, copying.

`loan_requests` and `insurance_requests` hold what only one kind has. Lock order: the business, then
the request, then its matches by id, then their offers. The lock on the business makes "one request
in hand" a plain check; a database constraint stands behind it.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone

from businesses.models import Business, Patent
from financing import notifications, permissions
from financing.lifecycles import MATCH, REQUEST
from financing.models.insurance_requests import InsuranceRequest
from financing.models.loan_requests import LoanRequest
from financing.models.matches import MATCH_BOOKED_STATUSES, Match
from financing.models.proposals import Proposal
from financing.models.requests import REQUEST_HOLDING_STATUSES, RequestStatus
from financing.pair_kinds import kind_of
from financing.permissions import Cure, Reason, ReasonCode, Reasons
from financing.services.capacity import release_all
from financing.services.clocks import end_clock
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.outbox.services import enqueue
from sipo_portal.workflow.advance import advance

RequestT = TypeVar("RequestT", LoanRequest, InsuranceRequest)
# What a copy takes over beside the patents.
COPIED_FIELDS: dict[type[Any], tuple[str, ...]] = {
    LoanRequest: (
        "principal",
        "least_accepted",
        "term_months",
        "max_apr_percent",
        "purpose",
        "purpose_text",
    ),
    InsuranceRequest: ("cover_kind", "sum_insured", "premium_limit"),
}


class RequestRefused(Exception):
    """Nothing was changed; `reasons` say why and where each is cured."""

    def __init__(self, reasons: Reasons) -> None:
        super().__init__(", ".join(reason.code for reason in reasons))
        self.reasons = reasons

    @property
    def code(self) -> ReasonCode:
        return self.reasons[0].code


@transaction.atomic
def save_patents(*, actor: Actor, request: RequestT, patent_ids: Iterable[int]) -> RequestT:
    """Replace the patents offered: only live ones of the same business. Raises RequestRefused."""
    locked = lock_request(request)
    refuse(permissions.against_changing(locked))
    wanted = set(patent_ids)
    known = set(
        Patent.objects.filter(
            business_id=locked.business_id,
            status__in=permissions.LIVE_PATENT_STATUSES,
            pk__in=wanted,
        ).values_list("pk", flat=True)
    )
    if known != wanted:
        raise RequestRefused((Reason(ReasonCode.PATENT_FOREIGN, Cure.PATENTS),))
    if known != set(locked.patents.values_list("pk", flat=True)):
        locked.patents.set(sorted(known))
        locked.save(update_fields=["updated_at"])
        record(
            Verb.REQUEST_SAVED,
            actor=actor,
            obj=locked,
            data={"part": "patents", "patents": sorted(known)},
        )
    return locked


@transaction.atomic
def submit(*, actor: Actor, request: RequestT) -> RequestT:
    """Send the request into matching; what was sent before is returned as it is.

    Raises RequestRefused with everything that is still to be cured.
    """
    locked = lock_request(request)
    if locked.status in REQUEST_HOLDING_STATUSES and locked.status != RequestStatus.RETURNED:
        return locked
    refuse(permissions.against_submitting(locked))
    now = timezone.now()
    # Waiting counts from the first time; a request that was sent back keeps its place.
    locked.submitted_at = locked.submitted_at or now
    locked.refreshed_at = now
    locked.returned_reason = ""
    locked.save(update_fields=["submitted_at", "refreshed_at", "returned_reason", "updated_at"])
    advance(REQUEST, locked, "submit", actor=actor)
    enqueue(kind_of(locked).match_request_task, {"request_id": locked.pk})
    return locked


@transaction.atomic
def withdraw(*, actor: Actor, request: RequestT) -> RequestT:
    """Take the request back, and with it its proposals and live matches.

    What was booked for terms is given back to the offer. Withdrawing twice is the same as once.
    Raises RequestRefused where terms were accepted already.
    """
    locked = lock_request(request)
    if locked.status == RequestStatus.WITHDRAWN:
        return locked
    refuse(permissions.against_withdrawing(locked))
    of_request = {kind_of(locked).request_field: locked}
    live = Match.objects.live().filter(**of_request).select_for_update(of=("self",))
    booked: list[Match] = []
    for match in live.order_by("pk"):
        if match.status in MATCH_BOOKED_STATUSES:
            booked.append(match)
        advance(MATCH, match, "withdraw", actor=actor, data={"because": "request.withdraw"})
        end_clock(match)
        notifications.match_withdrawn(match)
    release_all(actor=actor, matches=booked)
    Proposal.objects.filter(**of_request).delete()
    advance(REQUEST, locked, "withdraw", actor=actor)
    return locked


@transaction.atomic
def delete_draft(*, actor: Actor, request: RequestT) -> None:
    """Remove a request that was never submitted. Raises RequestRefused for any other."""
    locked = lock_request(request)
    refuse(permissions.against_deleting(locked))
    record(Verb.REQUEST_DELETED, actor=actor, obj=locked)
    locked.delete()


@transaction.atomic
def refresh(*, actor: Actor, request: RequestT) -> RequestT:
    """Say that the request is still wanted, which starts its 90 days anew (DOMAIN 3)."""
    locked = lock_request(request)
    refuse(permissions.against_refreshing(locked))
    locked.refreshed_at = timezone.now()
    locked.save(update_fields=["refreshed_at", "updated_at"])
    record(Verb.REQUEST_REFRESHED, actor=actor, obj=locked)
    return locked


@transaction.atomic
def copy_as_draft(*, actor: Actor, request: RequestT) -> RequestT:
    """A draft with the same wishes and those of the patents that still live.

    An equal draft that is there already is returned, so that a second click makes no second one.
    Raises RequestRefused for a business that may not ask.
    """
    business = lock_business(request.business_id)
    refuse(permissions.against_requesting(business))
    rows = type(request).objects
    wishes = {name: getattr(request, name) for name in COPIED_FIELDS[type(request)]}
    equal: RequestT | None = rows.filter(
        business=business, status=RequestStatus.DRAFT, submitted_at__isnull=True, **wishes
    ).first()
    if equal is not None:
        return equal
    draft: RequestT = rows.create(business=business, created_by=actor.user, **wishes)
    draft.patents.set(request.patents.filter(status__in=permissions.LIVE_PATENT_STATUSES))
    data = {"part": "copy", "copied_from": request.pk}
    record(Verb.REQUEST_SAVED, actor=actor, obj=draft, data=data)
    return draft


@transaction.atomic
def withdraw_and_copy(*, actor: Actor, request: RequestT) -> RequestT:
    """The way to change what was submitted: take it back and go on with a draft like it."""
    withdrawn = withdraw(actor=actor, request=request)
    return copy_as_draft(actor=actor, request=withdrawn)


def refuse(reasons: Reasons) -> None:
    if reasons:
        raise RequestRefused(reasons)


def lock_business(pk: int) -> Business:
    # NO KEY: rows that only refer to the business may still be written meanwhile.
    return Business.objects.select_for_update(no_key=True).get(pk=pk)


def lock_request(request: RequestT) -> RequestT:
    """The request as it is now, its business locked before it."""
    business = lock_business(request.business_id)
    locked: RequestT = (
        type(request).objects.select_for_update(of=("self",), no_key=True).get(pk=request.pk)
    )
    locked.business = business
    return locked


def save_changes(locked: RequestT, actor: Actor, **values: object) -> RequestT:
    """Store what differs; nothing is written or recorded for a second, equal post."""
    changed: list[str] = [name for name, value in values.items() if getattr(locked, name) != value]
    if changed:
        for name in changed:
            setattr(locked, name, values[name])
        locked.save(update_fields=[*changed, "updated_at"])
        record(Verb.REQUEST_SAVED, actor=actor, obj=locked, data={"fields": changed})
    return locked
