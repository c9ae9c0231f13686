"""Who may do what on the borrower's side: named predicates for services and views.

Roles and foreign rows are not decided here: gates of views and `visible_to` did that before.

* Every active member changes the business and its patents; managers alone decide who is a member.
* A coordinator decides nothing about a business they act for themselves (QUALITY 1).
* Name, credit code, region and founding day stay as they were verified; a coordinator reopens them
  by suspending and reinstating the business.
"""

from django.db.models import QuerySet

from businesses.models import Business, BusinessMember
from businesses.models.businesses import BusinessStatus
from sipo_portal.audit.actors import Actor

# What the coordinator compares with the licence.
FIXED_ONCE_VERIFIED = ("name", "credit_code", "region", "established_on")


def acts_for(actor: Actor, business: Business) -> bool:
    """The actor is an active member of the business."""
    return _membership(actor, business).exists()


def may_manage_members(actor: Actor, business: Business) -> bool:
    """The actor is an active member who may add and remove the others."""
    return _membership(actor, business).filter(is_manager=True).exists()


def has_own_interest(actor: Actor, business: Business) -> bool:
    """The actor is or was a member: somebody else has to decide about this business."""
    return (
        actor.user is not None
        and BusinessMember.objects.filter(business=business, user=actor.user).exists()
    )


def is_identity_fixed(business: Business) -> bool:
    """The coordinator has compared the business with its licence."""
    return business.status == BusinessStatus.VERIFIED


def _membership(actor: Actor, business: Business) -> QuerySet[BusinessMember]:
    return BusinessMember.objects.filter(business=business, user=actor.user, is_active=True)
