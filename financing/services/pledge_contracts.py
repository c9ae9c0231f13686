"""Checks a pledge contract and enters it on the pledge, for `services.pledges` (DOMAIN 4.4)."""

from collections.abc import Sequence
from datetime import date

from django.utils import timezone

from businesses.rules.registrability import ContractFacts, contract_incomplete
from businesses.selectors import expires_on
from financing.models.pledges import Pledge
from financing.pledge_contracts import PledgeContract, missing_parts, possible_pledgees
from financing.services.money_refusals import MoneyRefusal, MoneyRefused


def check_contract(contract: PledgeContract, pledge: Pledge, *, registered_on: date) -> None:
    """Raises MoneyRefused: CONTRACT_INCOMPLETE with the names of the missing parts, or what does
    not fit together: signed after the registration, a debt that ends before or outlives the patent.
    """
    signed_on, ends_on = contract.signed_on, contract.debt_ends_on
    finding = contract_incomplete(ContractFacts(missing_parts(contract, pledge)))
    if finding is not None or signed_on is None or ends_on is None:
        detail = finding.detail if finding is not None else ()
        raise MoneyRefused(MoneyRefusal.CONTRACT_INCOMPLETE, [value for _name, value in detail])
    if signed_on > registered_on:
        raise MoneyRefused(MoneyRefusal.SIGNED_LATE, [registered_on])
    if ends_on <= signed_on:
        raise MoneyRefused(MoneyRefusal.DEBT_ENDS_EARLY)
    if ends_on > expires_on(pledge.patent):
        raise MoneyRefused(MoneyRefusal.DEBT_OUTLIVES_PATENT, [expires_on(pledge.patent)])


def enter_contract(contract: PledgeContract, pledge: Pledge) -> Sequence[str]:
    """Set what was signed on the row, unsaved; the names of the columns.

    Raises MoneyRefused(PLEDGEE_NOT_POSSIBLE) for an institution that is neither the lender nor a
    guarantee company beside the loan. A renewal keeps its pledgee: it replaces that one's pledge.
    """
    columns = ["contract_signed_on", "secured_amount", "debt_ends_on", "secured_scope"]
    pledge.contract_signed_on = contract.signed_on
    pledge.secured_amount = contract.secured_amount
    pledge.debt_ends_on = contract.debt_ends_on
    pledge.secured_scope = contract.secured_scope.strip()
    if contract.pledgee is None or contract.pledgee.pk == pledge.pledgee_id:
        return columns
    possible = possible_pledgees(pledge.match, on=timezone.localdate())
    if pledge.renews_id is not None or contract.pledgee not in possible:
        raise MoneyRefused(MoneyRefusal.PLEDGEE_NOT_POSSIBLE)
    pledge.pledgee = contract.pledgee
    return [*columns, "pledgee"]
