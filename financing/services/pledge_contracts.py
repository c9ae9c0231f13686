"""What a pledge contract has to say before the register enters the pledge (DOMAIN 4.4).

Announcement 461 asks for the parties with their addresses, the secured claim and its amount, the
time of the debt, every patent with number, title and days of filing and grant, and the scope of the
security. Parties and patents are the match's; the lender types the rest with the registration, and
`services.pledges` refuses one whose contract lacks a part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from businesses.models.patents import Patent
from businesses.rules.patent_term import add_months
from businesses.rules.registrability import ContractFacts, contract_incomplete
from businesses.selectors import expires_on
from financing.guarantees import guarantees_taking_pledges
from financing.models.institutions import Institution
from financing.models.matches import Match
from financing.models.pledges import Pledge
from financing.models.terms import Terms, TermsStatus
from financing.services.money_refusals import MoneyRefusal, MoneyRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class PledgeContract:
    """What was signed: amount in yuan, the day the debt is paid back, what the pledge secures.

    None and "" are parts that are missing. `pledgee`: None is the one that was planned.
    """

    signed_on: date | None
    secured_amount: Decimal | None
    debt_ends_on: date | None
    secured_scope: str
    pledgee: Institution | None = None


def usual_contract(match: Match, *, signed_on: date | None = None) -> PledgeContract:
    """What a contract on the accepted terms usually says; the day of signing only if given."""
    terms = Terms.objects.get(match=match.pk, status=TermsStatus.ACCEPTED)
    return PledgeContract(
        signed_on=signed_on,
        secured_amount=terms.amount,
        debt_ends_on=add_months(timezone.localdate(), terms.term_months),
        secured_scope=_("Principal, interest, penalties and the cost of collecting the debt"),
    )


def possible_pledgees(match: Match, *, on: date) -> list[Institution]:
    """The lender first, then the guarantee companies whose offers beside the loan take pledges."""
    found = {match.institution_id: match.institution}
    for offer in guarantees_taking_pledges(match, on=on):
        found.setdefault(offer.institution_id, offer.institution)
    return list(found.values())


def missing_parts(contract: PledgeContract, pledge: Pledge) -> tuple[str, ...]:
    """Names of the parts that are missing: of the contract, and of the patent's record."""
    patent: Patent = pledge.patent
    parts = {
        "signed_on": contract.signed_on,
        "secured_amount": contract.secured_amount,
        "debt_ends_on": contract.debt_ends_on,
        "secured_scope": contract.secured_scope.strip(),
        "patent_title": patent.title.strip(),
        "granted_on": patent.granted_on,
    }
    return tuple(name for name, value in parts.items() if not value)


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
