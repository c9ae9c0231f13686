"""Can a patent be pledged? Grounds of CNIPA Announcement 461 (in force 15 Nov 2021), DOMAIN 4.4.

Called by patent pages, pledge services and, for baskets, by financing.match_runs. One function per
ground, named after its code; `check` runs them all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from businesses.rules.findings import Finding
from businesses.rules.names import same_name
from businesses.rules.patent_term import PatentKind


@dataclass(frozen=True, slots=True)
class LivePledge:
    """A registered pledge not yet released; `pledgee` is any stable id of the pledgee."""

    pledgee: str
    releases_on: date | None = None


@dataclass(frozen=True, slots=True)
class PatentFacts:
    """What the register and the parties say about one patent on the day of the check.

    `owner_names` are the registered owners; those who are not the business need to be among
    `consenting_names`. `is_annuity_unpaid` covers the months of grace; past them the patent has
    ended. `ended_on` is the day it ended early (annuity, surrender).
    """

    kind: PatentKind
    filed_on: date
    granted_on: date | None
    expires_on: date
    owner_names: tuple[str, ...]
    business_name: str
    number: str = ""
    consenting_names: tuple[str, ...] = ()
    ended_on: date | None = None
    is_invalidated: bool = False
    is_annuity_unpaid: bool = False
    is_ownership_disputed: bool = False
    is_preserved: bool = False
    live_pledge: LivePledge | None = None
    has_same_day_invention_filing: bool = False
    is_invalidation_pending: bool = False
    other_hindrance: str = ""


@dataclass(frozen=True, slots=True)
class PledgePlan:
    """The pledge asked for: None where it is not known yet."""

    debt_ends_on: date | None = None
    drawdown_on: date | None = None
    pledgee: str | None = None


@dataclass(frozen=True, slots=True)
class ContractFacts:
    """Names of the parts the pledge contract lacks (checked at registration only)."""

    missing_parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Basket:
    """Several patents pledged for one debt: the earliest expiry, the union of co-owners."""

    earliest_expiry_on: date
    co_owner_names: tuple[str, ...]
    findings: tuple[tuple[Finding, ...], ...]


Ground = Callable[[PatentFacts, PledgePlan, date], Finding | None]


def co_owner_names(facts: PatentFacts) -> tuple[str, ...]:
    """Registered owners other than the business."""
    return tuple(n for n in facts.owner_names if not same_name(n, facts.business_name))


def owner_mismatch(facts: PatentFacts, plan: PledgePlan, as_of: date) -> Finding | None:
    """The business is not a registered owner. Blanks, case and full-width forms do not matter."""
    if any(same_name(name, facts.business_name) for name in facts.owner_names):
        return None
    detail = (("business", facts.business_name), ("owners", "; ".join(facts.owner_names)))
    return Finding("owner_mismatch", "hard", "record_change_of_owner", detail)


def ended_or_invalidated(facts: PatentFacts, plan: PledgePlan, as_of: date) -> Finding | None:
    """Term over, ended early or declared invalid. On the expiry day itself the patent has ended."""
    code, cure = "ended_or_invalidated", "choose_another_patent"
    if facts.is_invalidated:
        return Finding(code, "hard", cure, (("cause", "invalidated"),))
    if facts.ended_on is not None and facts.ended_on <= as_of:
        cause = (("cause", "ended"), ("ended_on", facts.ended_on.isoformat()))
        return Finding(code, "hard", cure, cause)
    if facts.expires_on <= as_of:
        cause = (("cause", "expired"), ("ended_on", facts.expires_on.isoformat()))
        return Finding(code, "hard", cure, cause)
    return None


def not_granted(facts: PatentFacts, plan: PledgePlan, as_of: date) -> Finding | None:
    """Only granted patents are pledged; an application is not."""
    if facts.granted_on is not None and facts.granted_on <= as_of:
        return None
    return Finding("not_granted", "hard", "wait_for_grant")


def annuity_unpaid(facts: PatentFacts, plan: PledgePlan, as_of: date) -> Finding | None:
    """A fee is past its due day and in its months of grace."""
    if not facts.is_annuity_unpaid:
        return None
    return Finding("annuity_unpaid", "hard", "pay_annuity")


def ownership_dispute_or_preservation(
    facts: PatentFacts, plan: PledgePlan, as_of: date
) -> Finding | None:
    """A dispute about who owns it was filed, or a court has preserved it."""
    causes = [("ownership_dispute", facts.is_ownership_disputed)]
    causes.append(("preservation", facts.is_preserved))
    found = tuple(("cause", name) for name, is_so in causes if is_so)
    if not found:
        return None
    return Finding("ownership_dispute_or_preservation", "hard", "wait_for_decision", found)


def debt_outlives_patent(facts: PatentFacts, plan: PledgePlan, as_of: date) -> Finding | None:
    """The debt falls due after the patent's term."""
    if plan.debt_ends_on is None or plan.debt_ends_on <= facts.expires_on:
        return None
    detail = (
        ("debt_ends_on", plan.debt_ends_on.isoformat()),
        ("expires_on", facts.expires_on.isoformat()),
    )
    return Finding("debt_outlives_patent", "hard", "shorten_term", detail)


def co_owner_consent_missing(facts: PatentFacts, plan: PledgePlan, as_of: date) -> Finding | None:
    """Every co-owner must consent."""
    missing = [
        name
        for name in co_owner_names(facts)
        if not any(same_name(name, given) for given in facts.consenting_names)
    ]
    if not missing:
        return None
    detail = (("missing", "; ".join(missing)),)
    return Finding("co_owner_consent_missing", "hard", "get_co_owner_consent", detail)


def already_pledged(facts: PatentFacts, plan: PledgePlan, as_of: date) -> Finding | None:
    """Soft where the present pledgee renews, or where release comes no later than drawdown."""
    pledge = facts.live_pledge
    if pledge is None:
        return None
    code = "already_pledged"
    detail: tuple[tuple[str, str], ...] = (("pledgee", pledge.pledgee),)
    if plan.pledgee is not None and plan.pledgee == pledge.pledgee:
        return Finding(code, "soft", "renew_with_present_pledgee", detail)
    if pledge.releases_on is not None:
        detail = (*detail, ("releases_on", pledge.releases_on.isoformat()))
        if plan.drawdown_on is not None and pledge.releases_on <= plan.drawdown_on:
            return Finding(code, "soft", "release_before_drawdown", detail)
    return Finding(code, "hard", "release_pledge", detail)


def same_day_invention_filing(facts: PatentFacts, plan: PledgePlan, as_of: date) -> Finding | None:
    """A utility model whose invention twin, filed the same day, would end it when granted."""
    if facts.kind != "utility_model" or not facts.has_same_day_invention_filing:
        return None
    return Finding("same_day_invention_filing", "soft", "acknowledge")


def invalidation_pending(facts: PatentFacts, plan: PledgePlan, as_of: date) -> Finding | None:
    """A request to invalidate the patent has been accepted and not decided."""
    if not facts.is_invalidation_pending:
        return None
    return Finding("invalidation_pending", "soft", "acknowledge")


def other(facts: PatentFacts, plan: PledgePlan, as_of: date) -> Finding | None:
    """Whatever else the register office names."""
    if not facts.other_hindrance.strip():
        return None
    return Finding("other", "hard", "ask_branch_office", (("cause", facts.other_hindrance),))


def contract_incomplete(contract: ContractFacts) -> Finding | None:
    """The contract lacks a part that Announcement 461 asks for; checked at registration only."""
    if not contract.missing_parts:
        return None
    detail = tuple(("missing", part) for part in contract.missing_parts)
    return Finding("contract_incomplete", "hard", "complete_contract", detail)


GROUNDS: tuple[Ground, ...] = (
    owner_mismatch,
    ended_or_invalidated,
    not_granted,
    annuity_unpaid,
    ownership_dispute_or_preservation,
    debt_outlives_patent,
    co_owner_consent_missing,
    already_pledged,
    same_day_invention_filing,
    invalidation_pending,
    other,
)
CODES: tuple[str, ...] = (*(ground.__name__ for ground in GROUNDS), "contract_incomplete")


def check(
    facts: PatentFacts,
    *,
    as_of: date,
    debt_ends_on: date | None = None,
    drawdown_on: date | None = None,
    pledgee: str | None = None,
    contract: ContractFacts | None = None,
) -> tuple[Finding, ...]:
    """All grounds met by this patent, in the order of GROUNDS; empty means it can be registered."""
    plan = PledgePlan(debt_ends_on, drawdown_on, pledgee)
    findings = [ground(facts, plan, as_of) for ground in GROUNDS]
    if contract is not None:
        findings.append(contract_incomplete(contract))
    return tuple(finding for finding in findings if finding is not None)


def check_basket(
    patents: Sequence[PatentFacts],
    *,
    as_of: date,
    debt_ends_on: date | None = None,
    drawdown_on: date | None = None,
    pledgee: str | None = None,
    contract: ContractFacts | None = None,
) -> Basket:
    """Every patent against the same debt; ValueError for an empty basket.

    The contract is one for all: its finding is shown with the first patent.
    """
    if not patents:
        raise ValueError("a basket holds at least one patent")
    names: list[str] = []
    for facts in patents:
        for name in co_owner_names(facts):
            if not any(same_name(name, known) for known in names):
                names.append(name)
    findings = tuple(
        check(
            facts,
            as_of=as_of,
            debt_ends_on=debt_ends_on,
            drawdown_on=drawdown_on,
            pledgee=pledgee,
            contract=contract if position == 0 else None,
        )
        for position, facts in enumerate(patents)
    )
    return Basket(min(facts.expires_on for facts in patents), tuple(names), findings)
