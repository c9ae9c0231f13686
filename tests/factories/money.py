"""Terms, pledges and drawdowns for tests; what terms book stands against their offer."""

from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import transaction
from django.utils import timezone

from businesses.models import Patent
from financing.models import GuaranteeOffer, Match, Pledge, Terms
from financing.pledge_contracts import PledgeContract
from financing.services import acceptances, capacity, completions, pledges
from sipo_portal.accounts.models import User
from sipo_portal.audit.actors import Actor
from tests.factories.financing import (
    make_institution,
    make_loan_offer,
    make_loan_request,
    make_match,
    make_staff,
)

_numbers = count(1)


def make_terms(match: Match | None = None, **fields: Any) -> Terms:
    """Terms as posted, on the whole amount of the match (a new one in `terms_offered`), booked."""
    match = match or make_match(status="terms_offered")
    staff = match.institution.staff.select_related("user").first()
    of_kind: dict[str, Any] = (
        {
            "interest_rate_percent": Decimal("3.000"),
            "repayment_method": "interest_monthly",
            "day_count": "act/360",
        }
        if match.loan_offer_id is not None
        else {"premium": Decimal(3000), "excess_percent": Decimal(10)}
    )
    fields = {
        "amount": match.amount,
        "term_months": 12,
        "valid_until": timezone.localdate() + timedelta(days=14),
        "offered_by": staff.user if staff else make_staff(match.institution),
        **of_kind,
    } | fields
    with transaction.atomic():
        terms: Terms = Terms.objects.create(match=match, **fields)
        capacity.settle(actor=Actor.SYSTEM, match=match)
    return terms


def owner_of(match: Match) -> Actor:
    return Actor.of(match.business.members.get(is_manager=True).user)


def staff_of(match: Match) -> Actor:
    """Somebody who works for the match's institution."""
    post = match.institution.staff.select_related("user").first()
    return Actor.of(post.user if post else make_staff(match.institution))


def make_accepted(match: Match | None = None, **fields: Any) -> Match:
    """A match whose terms were accepted through the service."""
    terms = make_terms(match, **fields)
    return acceptances.accept_terms(actor=owner_of(terms.match), terms=terms)


def register_all(match: Match) -> None:
    """Every planned pledge of the match, registered today."""
    for pledge in match.pledges.filter(status="planned"):
        pledges.register_pledge(
            actor=staff_of(match),
            pledge=pledge,
            registration_number=f"Y2026{next(_numbers):06d}",
            registered_on=timezone.localdate(),
            contract=make_contract(match),
        )


def make_contract(match: Match, **fields: Any) -> PledgeContract:
    """A complete pledge contract on the match's amount for a year, signed today."""
    today = timezone.localdate()
    fields = {
        "signed_on": today,
        "secured_amount": match.amount,
        "debt_ends_on": today + timedelta(days=365),
        "secured_scope": "主债权、利息、违约金",
    } | fields
    return PledgeContract(**fields)


def typed_contract(match: Match, **fields: Any) -> dict[str, Any]:
    """The same as a lender types it."""
    contract = asdict(make_contract(match))
    return {name: value for name, value in contract.items() if name != "pledgee"} | fields


def draw(match: Match, amount: Decimal | int | None = None, **fields: Any) -> Any:
    """A drawdown today, of the whole amount unless given."""
    terms = match.terms.get(status="accepted")
    fields = {
        "amount": terms.amount if amount is None else Decimal(amount),
        "drawn_on": timezone.localdate(),
        "reference": f"D{next(_numbers)}",
    } | fields
    return completions.record_drawdown(actor=staff_of(match), match=match, **fields)


def make_completed(match: Match | None = None, **fields: Any) -> Match:
    """A loan paid out in full, pledges registered."""
    match = make_accepted(match, **fields)
    register_all(match)
    draw(match)
    return completions.complete(actor=staff_of(match), match=match)


def make_rival(patents: list[Patent], **fields: Any) -> Match:
    """A match in `terms_offered` of another business that registered the same patents too."""
    request = make_loan_request(**fields)
    for patent, twin in zip(request.patents.all(), patents, strict=False):
        patent.application_number = twin.application_number
        patent.save()
    return make_match(request, make_loan_offer(), status="terms_offered")


def make_guarantee(match: Match, **fields: Any) -> GuaranteeOffer:
    """A published guarantee attached to the offer of `match`."""
    fields = {
        "name": f"担保{next(_numbers)}",
        "status": "published",
        "opens_on": timezone.localdate(),
        "size_classes": ["micro", "small"],
        "share_percent": Decimal(80),
        "fee_percent": Decimal(1),
    } | fields
    guarantee = GuaranteeOffer.objects.create(institution=make_institution("guarantor"), **fields)
    guarantee.loan_offers.add(match.loan_offer)
    return guarantee


def live_pledges(number: str) -> list[Pledge]:
    return list(
        Pledge.objects.filter(
            application_number=number, status__in=["planned", "registered"]
        ).order_by("pk")
    )


def staff_user(match: Match) -> User:
    return staff_of(match).user
