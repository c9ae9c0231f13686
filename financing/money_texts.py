"""Words of what happens between terms and money: why a step was refused; pages of both sides."""

from datetime import date
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from financing.rule_texts import listed
from financing.services.money_refusals import MoneyRefused
from sipo_portal.ui import formats

# Codes of services.money_refusals.MoneyRefusal; %(detail)s is what the refusal is about.
REFUSALS: dict[str, str | Promise] = {
    "not_offered": _("These terms do not stand any more. Look at the match again."),
    "terms_changed": _("The terms have changed since you opened the page. Look at them again."),
    "terms_expired": _("These terms could be accepted until %(detail)s."),
    "business_suspended": _("The business is suspended. Ask the branch office why."),
    "institution_suspended": _(
        "The institution is suspended: its terms cannot be accepted now. Ask the branch office."
    ),
    "patent_ended": _("Patent %(detail)s has ended and cannot be pledged any more."),
    "patent_pledged": _(
        "Patent %(detail)s is pledged or about to be pledged for another loan. Nothing was "
        "changed. It can be pledged again once that pledge is released."
    ),
    "not_accepted": _("This is only possible between acceptance and completion."),
    "not_a_loan": _("Money is drawn down for loans only."),
    "pledges_not_registered": _(
        "No money before every pledge is registered. Missing: patent %(detail)s."
    ),
    "pledges_registered": _("Release the registered pledges first: patent %(detail)s."),
    "before_pledge": _("The last pledge was registered on %(detail)s: no money before that day."),
    "before_acceptance": _("The day cannot be before %(detail)s."),
    "in_the_future": _("The day lies in the future."),
    "not_positive": _("Enter an amount above zero, to the fen."),
    "above_terms": _("At most %(detail)s are left of the terms."),
    "number_missing": _("Enter the number."),
    "reference_used": _(
        "This reference belongs to another drawdown (%(detail)s). Use a new reference."
    ),
    "registered_differently": _("This pledge is registered already, under number %(detail)s."),
    "contract_incomplete": _("The pledge contract is incomplete. Missing: %(detail)s."),
    "signed_late": _("The contract has to be signed before its registration on %(detail)s."),
    "debt_ends_early": _("The debt cannot end before the contract is signed."),
    "debt_outlives_patent": _("The debt would outlive the patent, which ends on %(detail)s."),
    "pledgee_not_possible": _(
        "The pledgee is the lender or a guarantee company that takes pledges beside this loan."
    ),
    "nothing_drawn": _("No drawdown is recorded yet."),
    "money_drawn": _(
        "%(detail)s were paid out already: complete the loan with what was drawn down instead."
    ),
    "no_policy_issued": _("No policy is issued yet."),
    "not_an_insurance": _("A policy is issued for insurances only."),
    "policy_issued": _("The policy %(detail)s is issued for this already."),
    "too_far_ahead": _("The cover has to begin by %(detail)s."),
    "too_early": _("You can ask for the next period from %(detail)s on."),
    "not_completed": _("You can confirm what you got once the institution has completed."),
    "difference_missing": _("Write what differed."),
}

# Parts of a pledge contract (financing.pledge_contracts.missing_parts).
CONTRACT_PARTS: dict[str, str | Promise] = {
    "signed_on": _("day of signing"),
    "secured_amount": _("secured amount"),
    "debt_ends_on": _("day the debt ends"),
    "secured_scope": _("scope of the security"),
    "patent_title": _("title of the patent"),
    "granted_on": _("day the patent was granted"),
}


def refusal_text(refused: MoneyRefused) -> str:
    """The refusal in the reader's language, its numbers, amounts and days with it."""
    details = listed(_detail(each) for each in refused.details)
    return str(REFUSALS[refused.code]) % {"detail": details}


def _detail(detail: object) -> str:
    if isinstance(detail, Decimal):
        return formats.yuan(detail)
    if isinstance(detail, date):
        return formats.day(detail)
    if detail in CONTRACT_PARTS:
        return str(CONTRACT_PARTS[str(detail)])
    return f"ZL{detail}" if _is_number(str(detail)) else str(detail)


def _is_number(text: str) -> bool:
    """An application number in normal form, as the basket has it."""
    body, dot, check = text.partition(".")
    return bool(dot) and body.isdigit() and len(check) == 1
