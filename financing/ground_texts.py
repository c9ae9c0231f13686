"""Grounds of DOMAIN 4.4 and 4.5 and their cures in words; request and review pages read them."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise

GROUND_TITLES: dict[str, Text] = {
    "owner_mismatch": _("the register names another owner"),
    "ended_or_invalidated": _("the patent has ended"),
    "not_granted": _("the patent is not granted yet"),
    "annuity_unpaid": _("an annuity is unpaid"),
    "ownership_dispute_or_preservation": _("ownership is in dispute or preserved by a court"),
    "debt_outlives_patent": _("the loan would outlive the patent"),
    "contract_incomplete": _("the pledge contract is incomplete"),
    "co_owner_consent_missing": _("the consent of a co-owner is missing"),
    "already_pledged": _("the patent is pledged already"),
    "same_day_invention_filing": _("an invention was filed for the same thing on the same day"),
    "invalidation_pending": _("a request to invalidate it is pending"),
    "other": _("another reason"),
    "policyholder_not_entitled": _("the business is neither owner nor licensee"),
    "kind_not_insured": _("this kind of patent is not insured"),
    "not_in_force": _("the patent is not in force"),
    "ownership_dispute_pending": _("an ownership dispute is pending"),
    "infringement_dispute_pending": _("an infringement dispute is pending"),
}

CURES: dict[str, Text] = {
    "record_change_of_owner": _("Have the change of owner recorded, or correct the owner here."),
    "choose_another_patent": _("Choose another patent."),
    "wait_for_grant": _("Wait for the grant, or record its date if it was granted."),
    "pay_annuity": _("Pay the annuity, then record the payment."),
    "wait_for_decision": _("Wait for the decision, or choose another patent."),
    "shorten_term": _("Ask for a shorter term, or choose a younger patent."),
    "get_co_owner_consent": _("Get the written consent of the co-owner and record it."),
    "renew_with_present_pledgee": _("Renew with the present pledgee."),
    "release_before_drawdown": _("Release the present pledge before the money is drawn."),
    "release_pledge": _("Have the present pledge released, or choose another patent."),
    "record_ownership_or_licence": _("Record that the business owns or licenses the patent."),
    "acknowledge": _("Both sides acknowledge this and go on."),
    "ask_branch_office": _("Ask the branch office."),
    "complete_contract": _("Complete the pledge contract."),
}


def ground_title(code: str) -> str:
    return str(GROUND_TITLES.get(code, code))


def cure_text(code: str) -> str:
    return str(CURES.get(code, ""))
