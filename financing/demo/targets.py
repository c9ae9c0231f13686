"""What the demo's branch offices answer for this year; `seeding` calls it."""

from datetime import date
from decimal import Decimal

from financing.services.goals import save_goal
from sipo_portal.audit.actors import Actor
from sipo_portal.offices.models import BranchOffice

# (place in `words.OFFICES`, product, businesses, yuan)
GOALS = (
    (0, "loan", 60, 90_000_000),
    (0, "insurance", 40, 20_000_000),
    (1, "loan", 12, 16_000_000),
    (1, "insurance", 8, 3_000_000),
    (3, "loan", 4, 5_000_000),
    (3, "insurance", 2, 500_000),
    (4, "loan", 12, 16_000_000),
    (4, "insurance", 8, 3_000_000),
    (6, "loan", 4, 5_000_000),
    (6, "insurance", 2, None),
)


def seed_goals(actor: Actor, offices: list[BranchOffice], today: date) -> None:
    """Loans and insurances of this calendar year, set by the system administrator."""
    for place, product, businesses, amount in GOALS:
        save_goal(
            actor,
            values={
                "office": offices[place],
                "product": product,
                "starts_on": date(today.year, 1, 1),
                "ends_on": date(today.year, 12, 31),
                "business_count": businesses,
                "amount": None if amount is None else Decimal(amount),
            },
        )
