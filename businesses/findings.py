"""Findings of registrability and insurability in plain words, with what to do; pages read it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from businesses.models.patents import PatentKind
from businesses.rules.findings import Finding
from sipo_portal.ui import formats

Text = str | Promise

TITLES: dict[str, Text] = {
    "owner_mismatch": _("The register names another owner"),
    "ended_or_invalidated": _("The patent has ended"),
    "not_granted": _("The patent is not granted yet"),
    "annuity_unpaid": _("An annuity is not recorded as paid"),
    "ownership_dispute_or_preservation": _("Ownership is disputed or a court has preserved it"),
    "debt_outlives_patent": _("The loan would run longer than the patent"),
    "contract_incomplete": _("The pledge contract is incomplete"),
    "co_owner_consent_missing": _("A co-owner has not consented"),
    "already_pledged": _("The patent is pledged already"),
    "same_day_invention_filing": _("An invention was filed for the same thing on the same day"),
    "invalidation_pending": _("Somebody has asked to declare the patent invalid"),
    "other": _("Something else stands against it"),
}

# Conditions of insurers (DOMAIN 4.5) that are no grounds of the register.
INSURANCE_TITLES: dict[str, Text] = {
    "policyholder_not_entitled": _("The business is neither owner nor licensee"),
    "kind_not_insured": _("This kind of patent is not insured"),
    "not_in_force": _("The patent is not in force"),
    "remaining_life_too_short": _("The patent ends too soon"),
    "ownership_dispute_pending": _("An ownership dispute is pending"),
    "infringement_dispute_pending": _("An infringement dispute is pending"),
}

CURES: dict[str, Text] = {
    "record_ownership_or_licence": _(
        "Correct the owner's name here, or record that the business holds a licence."
    ),
    "record_change_of_owner": _(
        "Have the change of owner recorded in the register, or correct the owner's name here."
    ),
    "choose_another_patent": _("Nothing can be done about it: choose another patent."),
    "wait_for_grant": _("Wait for the grant. If it is granted, enter the date of grant here."),
    "pay_annuity": _("Pay the fee; then enter here up to which patent year the fees are paid."),
    "wait_for_decision": _("Wait for the decision, or choose another patent."),
    "shorten_term": _("Ask for a shorter loan, or choose a patent that runs longer."),
    "get_co_owner_consent": _("Get the co-owner's written consent and record it here."),
    "renew_with_present_pledgee": _("The present pledgee can renew the pledge in one step."),
    "release_before_drawdown": _("Have the present pledge released before the money is paid out."),
    "release_pledge": _("Have the present pledge released, or choose another patent."),
    "acknowledge": _("This does not prevent a pledge: both sides acknowledge it and go on."),
    "ask_branch_office": _("Ask your branch office what to do."),
    "complete_contract": _("Add what is missing to the pledge contract."),
}

_CAUSES: dict[str, Text] = {
    "invalidated": _("declared invalid"),
    "ended": _("ended early"),
    "expired": _("term expired"),
    "not_granted": _("not granted yet"),
    "ownership_dispute": _("ownership dispute"),
    "preservation": _("preserved by a court"),
    "transfer": _("transfer under way"),
}
_DATES = {
    "ended_on": _("ended on %(day)s"),
    "releases_on": _("to be released on %(day)s"),
    "debt_ends_on": _("the loan ends on %(day)s"),
    "expires_on": _("the patent ends on %(day)s"),
}


_MONTHS = {
    "months": _("%(count)s months left"),
    "required": _("usually asked: %(count)s months"),
}


@dataclass(frozen=True, slots=True)
class FindingLine:
    """One finding for components/rule_list.html. `met` is None for what is only acknowledged."""

    code: str
    title: str
    met: bool | None
    found: str
    cure: str
    required: str = ""


def describe(finding: Finding) -> FindingLine:
    """The finding in the reader's language; call it while answering a request."""
    return FindingLine(
        code=finding.code,
        title=str(TITLES.get(finding.code) or INSURANCE_TITLES.get(finding.code, finding.code)),
        met=False if finding.severity == "hard" else None,
        found=_join(_detail(*each) for each in finding.detail),
        cure=str(CURES.get(finding.cure, "")),
    )


def describe_all(findings: Iterable[Finding]) -> list[FindingLine]:
    return [describe(finding) for finding in findings]


def _join(parts: Iterable[str]) -> str:
    return pgettext("between parts of a list", "; ").join(filter(None, parts))


def _detail(name: str, value: str) -> str:
    if name == "cause":
        return str(_CAUSES.get(value, value))
    if name in _DATES:
        return _DATES[name] % {"day": formats.day(date.fromisoformat(value))}
    if name == "owners":
        return _now("owner in the register: %(name)s") % {"name": value or formats.NOTHING}
    if name == "business":
        return ""
    if name == "kind":
        return str(PatentKind(value).label)
    if name in _MONTHS:
        return _MONTHS[name] % {"count": value}
    return value
