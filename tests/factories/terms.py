"""Terms, questions and disclosures of matches for tests; what stands is booked as services do."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import F
from django.utils import timezone

from financing.models.loan_offers import LoanOffer
from financing.models.matches import Match
from financing.models.terms import Terms
from sipo_portal.accounts.models import User
from tests.factories.financing import make_staff


def make_terms(match: Match, *, offered_by: User | None = None, **fields: Any) -> Terms:
    """Standing terms of the match for its amount, valid for a month, booked with the offer."""
    staff = offered_by or _some_staff(match)
    of_kind: dict[str, Any] = (
        {
            "interest_rate_percent": Decimal("3.000"),
            "term_months": 12,
            "repayment_method": "interest_monthly",
            "day_count": "act/360",
        }
        if match.loan_offer_id is not None
        else {"premium": Decimal(3000), "excess_percent": Decimal(10), "term_months": 12}
    )
    values = {
        "amount": match.amount,
        "valid_until": valid_until(),
        "offered_by": staff,
        **of_kind,
        **fields,
    }
    terms: Terms = Terms.objects.create(match=match, **values)
    if terms.status != "ended":
        type(match.offer)._default_manager.filter(pk=match.offer.pk).update(
            booked_amount=F("booked_amount") + terms.amount, booked_count=F("booked_count") + 1
        )
    return terms


def valid_until() -> date:
    """A day four weeks from now."""
    return timezone.localdate() + timedelta(days=28)


def _some_staff(match: Match) -> User:
    post = match.institution.staff.first()
    return post.user if post is not None else make_staff(match.institution)


def sums_of(offer: LoanOffer) -> tuple[Decimal, int]:
    """Booked amount and count as an independent query over the terms has them."""
    column = "loan_offer_id" if isinstance(offer, LoanOffer) else "insurance_offer_id"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(coalesce(t.drawn_amount, t.amount)), 0), count(*) "
            f"FROM financing_terms t JOIN financing_match m ON m.id = t.match_id WHERE m.{column} = %s "
            "AND m.status IN ('terms_offered', 'accepted', 'completed') AND t.status <> 'ended'",
            [offer.pk],
        )
        amount, number = cursor.fetchone()
    return Decimal(amount), int(number)
