"""Matches from the terms to the money, for both tenants; `world.py` calls it."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.utils import timezone

from financing.models import Drawdown, Match, Pledge
from tests.factories.businesses import make_business, make_patent
from tests.factories.financing import make_loan_request, make_match
from tests.factories.money import make_terms

STATUSES = {
    "terms_match": "terms_offered",
    "accepted_match": "accepted",
    "secured_match": "accepted",
    "completed_match": "completed",
}
REGISTERED = {
    "status": "registered",
    "registration_number": "Y2026980000001",
    "registered_on": date(2026, 1, 5),
}


def make_money_matches(
    world: Any,
    key: str,
    claimed: dict[str, Any],
    new_id: Callable[[], int],
    *,
    region: str,
    inside: set[str],
) -> dict[str, Match]:
    """One match in each state, with pledge and drawdown. `inside`: the side of the businesses."""
    rows = world.rows[key]
    staff = world.people[f"staff_{key}"]
    states = {
        "terms_match": "open",
        "accepted_match": "committed",
        "secured_match": "committed",
        "completed_match": "funded",
    }
    found = {}
    for name, state in states.items():
        business = make_business(
            id=new_id(),
            owner=world.people[f"owner_{key}"],
            region=region,
            name=f"密山{key}{name}公司",
        )
        world.hide(inside, business.name)
        patent = make_patent(business, title=f"密山{key}{name}装置")
        request = make_loan_request(business, [patent], id=new_id(), status=state)
        # From the acceptance on the lender reads what is pledged to it.
        readers = set() if name == "terms_match" else {f"staff_{key}"}
        world.hide(inside | readers, patent.title, patent.application_number)
        status = STATUSES[name]
        match = make_match(request, rows["offer_4"], status=status, **claimed)
        is_accepted = name != "terms_match"
        terms = make_terms(
            match,
            id=new_id(),
            conditions=f"密山{key}条件",
            status="accepted" if is_accepted else "offered",
            answered_at=timezone.now() if is_accepted else None,
        )
        found[name] = match
        if is_accepted:
            Pledge.objects.create(
                match=match,
                patent=patent,
                application_number=patent.application_number,
                creditor=match.institution,
                pledgee=match.institution,
                **(REGISTERED if name == "secured_match" else {}),
            )
        if name in ("secured_match", "completed_match"):
            Drawdown.objects.create(
                match=match,
                amount=terms.amount / (1 if name == "completed_match" else 2),
                drawn_on=timezone.localdate(),
                reference=f"密山{key}放款",
                recorded_by=staff,
            )
    world.hide(
        inside | {f"staff_{key}"},
        f"密山{key}条件",
        f"密山{key}放款",
    )
    return found
