"""Registering, changing and verifying a business; called by views, imports and the demo data."""

from dataclasses import fields
from typing import Any

from django.db import IntegrityError, transaction

from businesses.announcements import announce
from businesses.credit_codes import read_credit_code, stored_credit_code
from businesses.entries import BusinessFacts
from businesses.lifecycles import BUSINESS
from businesses.models import Business, BusinessMember
from businesses.permissions import FIXED_ONCE_VERIFIED, has_own_interest, is_identity_fixed
from businesses.rules.identifiers import IdentifierError
from businesses.selectors import size_verdict
from businesses.services.changed_fields import changed_names, stored_values
from businesses.services.refusals import BusinessRefused, Refusal
from businesses.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.workflow.advance import advance

# Named in the audit with their values; of the other fields it holds the names only.
_AUDITED_VALUES = ("region_id", "industry", "size_class")
# Nothing is decided by how a business is reached.
_OF_CONTACT = frozenset({"contact_name", "contact_phone", "legal_representative", "address"})


def credit_code_fault(business: Business) -> IdentifierError | None:
    """What is wrong with the stored code, None when it passes."""
    try:
        read_credit_code(business.credit_code)
    except IdentifierError as error:
        return error
    return None


@transaction.atomic
def register_business(
    *, actor: Actor, facts: BusinessFacts, is_code_exact: bool = False
) -> Business:
    """A new business with the actor as its manager, size class computed.

    Sent twice by the same person, the second time gives the business of the first. Raises
    IdentifierError for the code and BusinessRefused(code_taken), which tells nothing of the other.
    """
    business = Business()
    _fill(business, facts)
    business.credit_code = stored_credit_code(facts.credit_code, is_exact=is_code_exact)
    try:
        with transaction.atomic():
            business.save(force_insert=True)
    except IntegrityError:
        mine = Business.objects.filter(
            credit_code=business.credit_code, members__user=actor.user, members__is_active=True
        ).first()
        if mine is None:
            raise BusinessRefused(Refusal.CODE_TAKEN)
        return mine
    BusinessMember.objects.create(business=business, user=actor.user, is_manager=True)
    record(
        Verb.BUSINESS_REGISTERED,
        actor=actor,
        obj=business,
        data={
            **{name: getattr(business, name) for name in _AUDITED_VALUES},
            "is_code_exact": is_code_exact,
        },
    )
    return business


@transaction.atomic
def change_business(
    *, actor: Actor, business: Business, facts: BusinessFacts, is_code_exact: bool = False
) -> Business:
    """Replace what the owner says; the size class follows. Locks the business.

    Once verified, the identity fields keep their values whatever `facts` says. Raises
    IdentifierError and BusinessRefused(code_taken).
    """
    locked = Business.objects.select_for_update().get(pk=business.pk)
    before = stored_values(locked)
    old = {name: getattr(locked, name) for name in _AUDITED_VALUES}
    _fill(locked, facts, keep=FIXED_ONCE_VERIFIED if is_identity_fixed(locked) else ())
    if not is_identity_fixed(locked):
        code = stored_credit_code(facts.credit_code, is_exact=is_code_exact)
        if code != locked.credit_code:
            locked.credit_code, locked.credit_code_exception_reason = code, ""
    changed = changed_names(locked, before)
    if not changed:
        return locked
    locked.assumed_fields = [name for name in locked.assumed_fields if name not in changed]
    try:
        with transaction.atomic():
            locked.save(update_fields=[*changed, "assumed_fields", "updated_at"])
    except IntegrityError:
        raise BusinessRefused(Refusal.CODE_TAKEN)
    record(
        Verb.BUSINESS_CHANGED,
        actor=actor,
        obj=locked,
        data={
            "fields": changed,
            "before": old,
            "after": {name: getattr(locked, name) for name in _AUDITED_VALUES},
        },
    )
    if not _OF_CONTACT.issuperset(changed):
        announce([locked.pk])
    return locked


def _fill(business: Business, facts: BusinessFacts, keep: tuple[str, ...] = ()) -> None:
    for field in fields(facts):
        if field.name not in (*keep, "credit_code"):
            setattr(business, field.name, getattr(facts, field.name))
    set_size_class(business)


def set_size_class(business: Business) -> None:
    """Set the stored size class from industry and figures; the caller saves."""
    verdict = size_verdict(business)
    business.size_class = verdict.size_class
    business.size_indicator = verdict.indicator or ""
    business.is_size_provisional = verdict.provisional


@transaction.atomic
def verify_business(*, actor: Actor, business: Business) -> Business:
    """The coordinator has seen licence and authority. Locks the business.

    Raises BusinessRefused (own_interest; code_unverified while a failing code is not accepted)
    and TransitionRefused.
    """
    locked = _locked_for_decision(actor, business)
    if credit_code_fault(locked) is not None and not locked.credit_code_exception_reason:
        raise BusinessRefused(Refusal.CODE_UNVERIFIED)
    advance(BUSINESS, locked, "verify", actor=actor)
    announce([locked.pk])
    return locked


@transaction.atomic
def accept_code_exception(*, actor: Actor, business: Business, reason: str) -> Business:
    """Accept a code that fails its check, with the reason (DOMAIN 4.1). Locks the business.

    Raises BusinessRefused: own_interest, reason_missing, code_valid.
    """
    locked = _locked_for_decision(actor, business)
    fault = credit_code_fault(locked)
    if fault is None:
        raise BusinessRefused(Refusal.CODE_VALID)
    locked.credit_code_exception_reason = _needed(reason)
    locked.save(update_fields=["credit_code_exception_reason", "updated_at"])
    record(Verb.BUSINESS_CODE_EXCEPTION, actor=actor, obj=locked, data={"fault": fault.code})
    return locked


@transaction.atomic
def suspend_business(*, actor: Actor, business: Business, reason: str) -> Business:
    """Stop a business; its owner reads the reason. Locks the business.

    Raises BusinessRefused (own_interest, reason_missing) and TransitionRefused.
    """
    locked = _locked_for_decision(actor, business)
    locked.suspension_reason = _needed(reason)
    advance(BUSINESS, locked, "suspend", actor=actor)
    locked.save(update_fields=["suspension_reason", "updated_at"])
    announce([locked.pk])
    return locked


@transaction.atomic
def reinstate_business(*, actor: Actor, business: Business) -> Business:
    """End a suspension; the business has to be verified anew. Locks the business.

    Raises BusinessRefused(own_interest) and TransitionRefused.
    """
    locked = _locked_for_decision(actor, business)
    locked.suspension_reason = ""
    advance(BUSINESS, locked, "reinstate", actor=actor)
    locked.save(update_fields=["suspension_reason", "updated_at"])
    announce([locked.pk])
    return locked


def _locked_for_decision(actor: Actor, business: Business) -> Business:
    locked = Business.objects.select_for_update().get(pk=business.pk)
    if has_own_interest(actor, locked):
        raise BusinessRefused(Refusal.OWN_INTEREST)
    return locked


def _needed(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise BusinessRefused(Refusal.REASON_MISSING)
    return reason


def facts_of(business: Business) -> BusinessFacts:
    """The stored facts, to be changed with `dataclasses.replace`."""
    values: dict[str, Any] = {
        field.name: getattr(business, field.name) for field in fields(BusinessFacts)
    }
    return BusinessFacts(**values)
