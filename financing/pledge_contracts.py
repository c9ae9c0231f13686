"""What a pledge contract has to say before the register enters the pledge (DOMAIN 4.4).

Announcement 461 asks for the parties, the secured claim and its amount, the time of the debt, every
patent with number, title and days of filing and grant, and the scope of the security. Parties and
patents are the match's; the lender types the rest with the registration. The form and the service
of the registration call it.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from businesses.models.patents import Patent
from businesses.rules.patent_term import add_months
from financing.guarantees import guarantees_taking_pledges
from financing.models.institutions import Institution
from financing.models.matches import Match
from financing.models.pledges import Pledge
from financing.models.terms import Terms, TermsStatus


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
