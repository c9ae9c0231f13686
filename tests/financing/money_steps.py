"""Steps from terms to the money and back, and what became of the rows; the tests of services."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Model
from django.utils import timezone

from financing.models import LoanOffer, Match, Pledge
from financing.services import completions, pledges
from financing.services.matches import Reason
from financing.services.money_refusals import MoneyRefused
from sipo_portal.audit.actors import Actor
from tests.factories.money import staff_of

NOT_READY = Reason("business_not_ready")


def release(pledge: Pledge, on: date | None = None) -> Pledge:
    """By the lender, today."""
    return pledges.release_pledge(
        actor=staff_of(pledge.match), pledge=pledge, released_on=on or timezone.localdate()
    )


def fall_through(match: Match, actor: Actor | None = None, reason: Reason = NOT_READY) -> Match:
    """By the lender unless `actor` says otherwise."""
    return completions.fall_through(actor=actor or staff_of(match), match=match, reason=reason)


def refusal(step: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    """The code with which the step is refused."""
    with pytest.raises(MoneyRefused) as refused:
        step(*args, **kwargs)
    return str(refused.value.code)


def booked(match: Match) -> tuple[Decimal, int]:
    """What the match's loan offer has booked: amount and number."""
    offer = LoanOffer.objects.get(pk=match.loan_offer_id)
    return offer.booked_amount, offer.booked_count


def statuses(*rows: Model) -> list[str]:
    """As the database has them; the rows are read anew."""
    for row in rows:
        row.refresh_from_db()
    return [str(row.status) for row in rows]
