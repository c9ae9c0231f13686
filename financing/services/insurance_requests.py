"""What only insurance requests have: cover, sum insured and premium limit; called by views.

Everything else is done by `services.requests`, for both kinds.
"""

from decimal import Decimal

from django.db import transaction

from businesses.models import Business
from financing import permissions
from financing.models.insurance_requests import InsuranceRequest
from financing.models.requests import RequestStatus
from financing.services.requests import lock_business, lock_request, refuse, save_changes
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record


@transaction.atomic
def start_draft(*, actor: Actor, business: Business, cover_kind: str) -> InsuranceRequest:
    """A draft for this cover (a value of `CoverKind`); the untouched one, if there is one.

    Raises RequestRefused for a business that may not ask.
    """
    business = lock_business(business.pk)
    refuse(permissions.against_requesting(business))
    untouched: InsuranceRequest | None = InsuranceRequest.objects.filter(
        business=business,
        cover_kind=cover_kind,
        status=RequestStatus.DRAFT,
        sum_insured__isnull=True,
        patents__isnull=True,
    ).first()
    if untouched is not None:
        return untouched
    request: InsuranceRequest = InsuranceRequest.objects.create(
        business=business, cover_kind=cover_kind, created_by=actor.user
    )
    record(Verb.REQUEST_SAVED, actor=actor, obj=request, data={"part": "start"})
    return request


@transaction.atomic
def save_cover(
    *,
    actor: Actor,
    request: InsuranceRequest,
    sum_insured: Decimal,
    premium_limit: Decimal | None = None,
) -> InsuranceRequest:
    """Sum insured and highest yearly premium in yuan. RequestRefused when the request is fixed."""
    locked = lock_request(request)
    refuse(permissions.against_changing(locked))
    return save_changes(locked, actor, sum_insured=sum_insured, premium_limit=premium_limit)
