"""Can a patent be insured under an offer's conditions? (DOMAIN 4.5); called like registrability.

The conditions are the offer's data; each that fails is one finding with its cure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from businesses.rules.findings import Finding
from businesses.rules.names import same_name
from businesses.rules.patent_term import PatentKind, remaining_months


@dataclass(frozen=True, slots=True)
class InsuranceConditions:
    """What an offer asks of each patent; the defaults are the usual ones."""

    accepts_licensees: bool = True
    needs_co_owner_consent: bool = True
    needs_patent_in_force: bool = True
    min_remaining_months: int = 36
    refuses_ownership_dispute: bool = True
    refuses_infringement_dispute: bool = True
    accepted_kinds: tuple[PatentKind, ...] = ("invention", "utility_model", "design")


@dataclass(frozen=True, slots=True)
class InsuredPatent:
    """What is known of one patent on the day; `policyholder_name` is the business."""

    kind: PatentKind
    granted_on: date | None
    expires_on: date
    owner_names: tuple[str, ...]
    policyholder_name: str
    licensee_names: tuple[str, ...] = ()
    consenting_names: tuple[str, ...] = ()
    ended_on: date | None = None
    is_invalidated: bool = False
    is_annuity_unpaid: bool = False
    is_ownership_disputed: bool = False
    is_infringement_disputed: bool = False


Condition = Callable[[InsuredPatent, InsuranceConditions, date], Finding | None]


def policyholder_not_entitled(
    facts: InsuredPatent, conditions: InsuranceConditions, as_of: date
) -> Finding | None:
    """The policyholder is neither a registered owner nor (where accepted) a licensee."""
    entitled = facts.owner_names
    if conditions.accepts_licensees:
        entitled = (*entitled, *facts.licensee_names)
    if any(same_name(name, facts.policyholder_name) for name in entitled):
        return None
    return Finding("policyholder_not_entitled", "hard", "record_ownership_or_licence")


def kind_not_insured(
    facts: InsuredPatent, conditions: InsuranceConditions, as_of: date
) -> Finding | None:
    """The offer does not insure this kind of patent."""
    if facts.kind in conditions.accepted_kinds:
        return None
    return Finding("kind_not_insured", "hard", "choose_another_patent", (("kind", facts.kind),))


def co_owner_consent_missing(
    facts: InsuredPatent, conditions: InsuranceConditions, as_of: date
) -> Finding | None:
    """Every owner other than the policyholder consents in writing."""
    if not conditions.needs_co_owner_consent:
        return None
    agreed = (facts.policyholder_name, *facts.consenting_names)
    missing = [
        name for name in facts.owner_names if not any(same_name(name, given) for given in agreed)
    ]
    if not missing:
        return None
    detail = (("missing", "; ".join(missing)),)
    return Finding("co_owner_consent_missing", "hard", "get_co_owner_consent", detail)


def not_in_force(
    facts: InsuredPatent, conditions: InsuranceConditions, as_of: date
) -> Finding | None:
    """Not granted, ended, expired or invalidated."""
    if not conditions.needs_patent_in_force:
        return None
    if facts.granted_on is None or facts.granted_on > as_of:
        return Finding("not_in_force", "hard", "wait_for_grant", (("cause", "not_granted"),))
    has_ended = facts.ended_on is not None and facts.ended_on <= as_of
    if has_ended or facts.is_invalidated or facts.expires_on <= as_of:
        return Finding("not_in_force", "hard", "choose_another_patent", (("cause", "ended"),))
    return None


def annuity_unpaid(
    facts: InsuredPatent, conditions: InsuranceConditions, as_of: date
) -> Finding | None:
    """In its months of grace a patent is valid, but cover waits for the fee."""
    if not (conditions.needs_patent_in_force and facts.is_annuity_unpaid):
        return None
    return Finding("annuity_unpaid", "hard", "pay_annuity")


def remaining_life_too_short(
    facts: InsuredPatent, conditions: InsuranceConditions, as_of: date
) -> Finding | None:
    """Fewer whole months of life left than the offer asks for."""
    months = remaining_months(facts.expires_on, as_of)
    if months >= conditions.min_remaining_months:
        return None
    detail = (("months", str(months)), ("required", str(conditions.min_remaining_months)))
    return Finding("remaining_life_too_short", "hard", "choose_another_patent", detail)


def ownership_dispute_pending(
    facts: InsuredPatent, conditions: InsuranceConditions, as_of: date
) -> Finding | None:
    """A dispute about who owns the patent is open."""
    if not (conditions.refuses_ownership_dispute and facts.is_ownership_disputed):
        return None
    return Finding("ownership_dispute_pending", "hard", "wait_for_decision")


def infringement_dispute_pending(
    facts: InsuredPatent, conditions: InsuranceConditions, as_of: date
) -> Finding | None:
    """A dispute about infringement of the patent is open."""
    if not (conditions.refuses_infringement_dispute and facts.is_infringement_disputed):
        return None
    return Finding("infringement_dispute_pending", "hard", "wait_for_decision")


CONDITIONS: tuple[Condition, ...] = (
    policyholder_not_entitled,
    kind_not_insured,
    co_owner_consent_missing,
    not_in_force,
    annuity_unpaid,
    remaining_life_too_short,
    ownership_dispute_pending,
    infringement_dispute_pending,
)


def check(
    facts: InsuredPatent, conditions: InsuranceConditions, *, as_of: date
) -> tuple[Finding, ...]:
    """All conditions that fail, in the order of CONDITIONS; empty means insurable."""
    findings = (condition(facts, conditions, as_of) for condition in CONDITIONS)
    return tuple(finding for finding in findings if finding is not None)
