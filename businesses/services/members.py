"""Who acts for a business: inviting, accepting, removing; called by the pages of members.

A manager names an address; whoever signs in with it, now or later, accepts or declines. Nothing
on the way tells whether the address has an account.
"""

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction

from businesses.models import Business, BusinessMember, MemberInvitation
from businesses.permissions import may_manage_members
from businesses.services.refusals import BusinessRefused, Refusal
from businesses.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record


@transaction.atomic
def invite_member(*, actor: Actor, business: Business, email: str) -> MemberInvitation:
    """Ask the person behind an address to act for the business.

    Raises BusinessRefused: not_manager, already_member (they are on the page anyway),
    invited_already.
    """
    _managers_only(actor, business)
    email = email.strip().lower()
    if business.members.filter(user__email=email, is_active=True).exists():
        raise BusinessRefused(Refusal.ALREADY_MEMBER)
    invitation = MemberInvitation(business=business, email=email, invited_by=actor.user)
    try:
        with transaction.atomic():
            invitation.save(force_insert=True)
    except IntegrityError:
        raise BusinessRefused(Refusal.INVITED_ALREADY)
    record(Verb.MEMBER_INVITED, actor=actor, obj=business, data={"invitation": invitation.pk})
    return invitation


@transaction.atomic
def withdraw_invitation(*, actor: Actor, invitation: MemberInvitation) -> None:
    """Take an invitation back. Raises BusinessRefused(not_manager)."""
    _managers_only(actor, invitation.business)
    _close(actor, invitation, Verb.INVITATION_WITHDRAWN)


@transaction.atomic
def accept_invitation(*, actor: Actor, invitation: MemberInvitation) -> BusinessMember:
    """Become a member. Raises BusinessRefused(email_unconfirmed).

    The address must be the actor's and confirmed: anybody can sign up with somebody else's.
    """
    locked = MemberInvitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    confirmed = EmailAddress.objects.filter(
        user=actor.user, email__iexact=locked.email, verified=True
    )
    if not confirmed.exists():
        raise BusinessRefused(Refusal.EMAIL_UNCONFIRMED)
    member, _created = BusinessMember.objects.update_or_create(
        business=locked.business, user=actor.user, defaults={"is_active": True}
    )
    record(
        Verb.MEMBER_ADDED,
        actor=actor,
        obj=locked.business,
        data={"member": actor.pseudonym, "invitation": locked.pk},
    )
    locked.delete()
    return member


@transaction.atomic
def decline_invitation(*, actor: Actor, invitation: MemberInvitation) -> None:
    """Say no; the manager may invite again."""
    _close(actor, invitation, Verb.INVITATION_DECLINED)


@transaction.atomic
def remove_member(*, actor: Actor, member: BusinessMember) -> BusinessMember:
    """End a membership: a manager anybody's, everybody their own. Locks the business.

    Raises BusinessRefused: not_manager, last_manager (nobody could manage the business).
    """
    Business.objects.select_for_update().get(pk=member.business_id)
    locked = BusinessMember.objects.select_for_update(of=("self",)).get(pk=member.pk)
    if locked.user_id != actor.user.pk:
        _managers_only(actor, locked.business)
    others = locked.business.members.filter(is_active=True, is_manager=True).exclude(pk=locked.pk)
    if locked.is_manager and not others.exists():
        raise BusinessRefused(Refusal.LAST_MANAGER)
    if locked.is_active:
        locked.is_active = False
        locked.is_manager = False
        locked.save(update_fields=["is_active", "is_manager"])
        record(
            Verb.MEMBER_REMOVED,
            actor=actor,
            obj=locked.business,
            data={"member": locked.user.pseudonym},
        )
    return locked


@transaction.atomic
def make_manager(*, actor: Actor, member: BusinessMember) -> BusinessMember:
    """Let a member manage the others too. Raises BusinessRefused(not_manager)."""
    _managers_only(actor, member.business)
    locked = BusinessMember.objects.select_for_update(of=("self",)).get(pk=member.pk)
    if locked.is_active and not locked.is_manager:
        locked.is_manager = True
        locked.save(update_fields=["is_manager"])
        record(
            Verb.MEMBER_MADE_MANAGER,
            actor=actor,
            obj=locked.business,
            data={"member": locked.user.pseudonym},
        )
    return locked


def _managers_only(actor: Actor, business: Business) -> None:
    if not may_manage_members(actor, business):
        raise BusinessRefused(Refusal.NOT_MANAGER)


def _close(actor: Actor, invitation: MemberInvitation, verb: Verb) -> None:
    record(verb, actor=actor, obj=invitation.business, data={"invitation": invitation.pk})
    invitation.delete()
