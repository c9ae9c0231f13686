"""Claims to a business somebody else registered; the claimant files, a coordinator decides."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from businesses.credit_codes import stored_credit_code
from businesses.models import Business, BusinessClaim, BusinessMember
from businesses.models.claims import ClaimStatus
from businesses.permissions import acts_for, has_own_interest
from businesses.services.refusals import BusinessRefused, Refusal
from businesses.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record


@transaction.atomic
def claim_business(*, actor: Actor, credit_code: str, explanation: str) -> BusinessClaim:
    """Ask to act for the business with this code.

    Raises IdentifierError for the code and BusinessRefused: not_registered, already_member,
    claim_pending (sent twice), reason_missing.
    """
    code = stored_credit_code(credit_code, is_exact=True)
    if not explanation.strip():
        raise BusinessRefused(Refusal.REASON_MISSING)
    business = Business.objects.filter(credit_code=code).first()
    if business is None:
        raise BusinessRefused(Refusal.NOT_REGISTERED)
    if acts_for(actor, business):
        raise BusinessRefused(Refusal.ALREADY_MEMBER)
    claim = BusinessClaim(business=business, claimant=actor.user, explanation=explanation.strip())
    try:
        with transaction.atomic():
            claim.save(force_insert=True)
    except IntegrityError:
        raise BusinessRefused(Refusal.CLAIM_PENDING)
    record(Verb.BUSINESS_CLAIMED, actor=actor, obj=business, data={"claim": claim.pk})
    return claim


@transaction.atomic
def decide_claim(
    *, actor: Actor, claim: BusinessClaim, is_accepted: bool, reason: str = ""
) -> BusinessClaim:
    """Let the claimant in as a member, or refuse with a reason. Locks the claim.

    Raises BusinessRefused: own_interest, claim_decided, reason_missing (for a refusal).
    """
    locked = BusinessClaim.objects.select_for_update(of=("self",)).get(pk=claim.pk)
    if has_own_interest(actor, locked.business) or locked.claimant_id == actor.user.pk:
        raise BusinessRefused(Refusal.OWN_INTEREST)
    if locked.status != ClaimStatus.PENDING:
        raise BusinessRefused(Refusal.CLAIM_DECIDED)
    if not is_accepted and not reason.strip():
        raise BusinessRefused(Refusal.REASON_MISSING)
    locked.status = ClaimStatus.ACCEPTED if is_accepted else ClaimStatus.REFUSED
    locked.status_changed_at = timezone.now()
    locked.decision_reason = reason.strip()
    locked.save(update_fields=["status", "status_changed_at", "decision_reason"])
    if is_accepted:
        BusinessMember.objects.update_or_create(
            business=locked.business, user=locked.claimant, defaults={"is_active": True}
        )
    record(
        Verb.CLAIM_DECIDED,
        actor=actor,
        obj=locked.business,
        data={
            "claim": locked.pk,
            "is_accepted": is_accepted,
            "claimant": locked.claimant.pseudonym,
        },
    )
    return locked
