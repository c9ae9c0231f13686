"""What only loan requests have: their amounts and purpose; called by views and demo data.

Everything else is done by `services.requests`, for both kinds; its acts are offered here too.
"""

from decimal import Decimal

from django.db import transaction

from businesses.models import Business
from financing import permissions
from financing.models.loan_requests import LoanRequest
from financing.models.requests import RequestStatus
from financing.permissions import Cure, Reason, ReasonCode
from financing.services.requests import (
    RequestRefused,
    copy_as_draft,
    delete_draft,
    lock_business,
    lock_request,
    refresh,
    refuse,
    save_changes,
    save_patents,
    submit,
    withdraw,
    withdraw_and_copy,
)
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record

__all__ = [
    "RequestRefused",
    "copy_as_draft",
    "delete_draft",
    "refresh",
    "save_loan",
    "save_patents",
    "save_purpose",
    "start_draft",
    "submit",
    "withdraw",
    "withdraw_and_copy",
]


@transaction.atomic
def start_draft(*, actor: Actor, business: Business) -> LoanRequest:
    """A draft to fill in; the one nothing was typed into yet, if there is one.

    Raises RequestRefused for a business that may not ask for a loan.
    """
    business = lock_business(business.pk)
    refuse(permissions.against_requesting(business))
    untouched: LoanRequest | None = LoanRequest.objects.filter(
        business=business,
        status=RequestStatus.DRAFT,
        principal__isnull=True,
        purpose="",
        patents__isnull=True,
    ).first()
    if untouched is not None:
        return untouched
    loan_request: LoanRequest = LoanRequest.objects.create(business=business, created_by=actor.user)
    record(Verb.REQUEST_SAVED, actor=actor, obj=loan_request, data={"part": "start"})
    return loan_request


@transaction.atomic
def save_loan(
    *,
    actor: Actor,
    request: LoanRequest,
    principal: Decimal,
    least_accepted: Decimal,
    term_months: int,
    max_apr_percent: Decimal | None = None,
) -> LoanRequest:
    """Amounts in yuan, the dearest APR in per cent or None. RequestRefused when it is fixed."""
    locked = lock_request(request)
    refuse(permissions.against_changing(locked))
    if least_accepted > principal:
        raise RequestRefused((Reason(ReasonCode.LEAST_ABOVE_PRINCIPAL, Cure.LOAN),))
    return save_changes(
        locked,
        actor,
        principal=principal,
        least_accepted=least_accepted,
        term_months=term_months,
        max_apr_percent=max_apr_percent,
    )


@transaction.atomic
def save_purpose(
    *, actor: Actor, request: LoanRequest, purpose: str, purpose_text: str = ""
) -> LoanRequest:
    """`purpose`: a value of `Purpose`. Raises RequestRefused when the request is fixed."""
    locked = lock_request(request)
    refuse(permissions.against_changing(locked))
    return save_changes(locked, actor, purpose=purpose, purpose_text=purpose_text)
