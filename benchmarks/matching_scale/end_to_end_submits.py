"""Submits requests, publishes offers and waits for their proposals; `end_to_end.py` runs it.

Worker and relay of the same database run beside it. Prints JSON: times in ms.
"""

import json
import random
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import django
import numpy as np

django.setup()

from django.utils import timezone  # noqa: E402

from financing.models.institutions import Institution  # noqa: E402
from financing.models.loan_offers import AcceptedPatentKind, LoanOffer  # noqa: E402
from financing.models.loan_requests import LoanRequest  # noqa: E402
from financing.models.proposals import Proposal  # noqa: E402
from financing.services import loan_offers, requests  # noqa: E402
from sipo_portal.audit.actors import Actor  # noqa: E402
from sipo_portal.outbox.models import OutboxMessage  # noqa: E402
from tests.factories.businesses import make_business  # noqa: E402
from tests.factories.financing import (  # noqa: E402
    make_institution,
    make_loan_offer,
    make_loan_request,
    make_staff,
)

PROVINCES = ("320000", "330000", "110000", "440000", "510000")
COUNTIES = ("320505", "330106", "110108")
POLL_S = 0.002
GIVE_UP_AFTER_S = 60
SETTLED_WITHIN_S = 600
SEED = 20250620


def main(live_offers: int, repetitions: int) -> None:
    random.seed(SEED)
    add_offers(live_offers)
    # What the demo's data left to do comes first.
    _wait(lambda: not OutboxMessage.objects.filter(done_at=None).exists(), SETTLED_WITHIN_S)
    found: dict[str, Any] = {
        "live_offers": LoanOffer.objects.live().count(),
        "open_requests": LoanRequest.objects.in_matching().count(),
        # The worker loaded the matcher when it started; what is asked for first is priced now.
        "first submit to proposal": _spread([_submit()]),
        "first publish to proposals": _spread([_publish()]),
    }
    submits: list[dict[str, float]] = []
    offers: list[dict[str, float]] = []
    # In turn, so that both meet the same load; a submit after a publication finds changed offers.
    for _ in range(repetitions):
        submits.append(_submit())
        offers.append(_publish())
    found["submit to proposal"] = _spread(submits)
    found["publish to proposals"] = _spread(offers)
    json.dump(found, sys.stdout)


def add_offers(count: int) -> None:
    """So many more live offers of invented banks, with room, in some provinces or everywhere."""
    banks = [make_institution() for _ in range(min(count, 300))]
    pattern = make_loan_offer(banks[0], status="draft") if count else None
    rows: list[LoanOffer] = []
    for number in range(count):
        row = LoanOffer.objects.get(pk=pattern.pk) if not rows else _copy(rows[0])  # type: ignore[union-attr]
        row.pk, row._state.adding = None, True
        row.institution, row.status = random.choice(banks), "published"
        row.name, row.published_at = f"贷款{number}", timezone.now()
        row.interest_rate_percent = Decimal(random.randrange(2_600, 3_400, 5)) / 1000
        row.max_principal = Decimal(random.choice((500_000, 1_000_000, 5_000_000)))
        row.max_term_months = random.choice((12, 24, 36))
        rows.append(row)
    LoanOffer.objects.bulk_create(rows, batch_size=1_000)
    AcceptedPatentKind.objects.bulk_create(
        (
            AcceptedPatentKind(offer=row, kind="invention", loan_to_value_percent=Decimal(40))
            for row in rows
        ),
        batch_size=2_000,
    )
    through = LoanOffer.regions.through
    through.objects.bulk_create(
        (
            through(loanoffer=row, region_id=random.choice(PROVINCES))
            for row in rows
            if random.random() < 0.85
        ),
        batch_size=2_000,
    )


def _copy(row: LoanOffer) -> LoanOffer:
    values = {
        field.attname: getattr(row, field.attname) for field in LoanOffer._meta.concrete_fields
    }
    return LoanOffer(**values)


def _submit() -> dict[str, float]:
    """A new business asks for a loan: until the service has answered, until a proposal is there."""
    business = make_business(region=random.choice(COUNTIES))
    request = make_loan_request(business, status="draft")
    owner = Actor.of(business.members.get().user)
    started = time.perf_counter()
    requests.submit(actor=owner, request=request)
    answered = time.perf_counter()
    _wait(lambda: Proposal.objects.filter(loan_request=request).exists())
    return {"answer": answered - started, "visible": time.perf_counter() - started}


def _publish() -> dict[str, float]:
    """A bank publishes a cheap offer for the whole country; three requests have a free place."""
    for _ in range(3):
        make_loan_request(make_business(region=random.choice(COUNTIES)), status="open")
    bank = random.choice(Institution.objects.filter(kind="bank", is_suspended=False)[:50])
    offer = make_loan_offer(bank, status="draft", interest_rate_percent=Decimal("2.1"))
    staff = bank.staff.first()
    actor = Actor.of(staff.user if staff is not None else make_staff(bank))
    started = time.perf_counter()
    loan_offers.publish(actor, offer=offer)
    answered = time.perf_counter()
    _wait(lambda: Proposal.objects.filter(loan_offer=offer).exists())
    return {"answer": answered - started, "visible": time.perf_counter() - started}


def _wait(is_there: Callable[[], bool], seconds: float = GIVE_UP_AFTER_S) -> None:
    end = time.monotonic() + seconds
    while not is_there():
        if time.monotonic() > end:
            raise SystemExit(f"not there within {seconds} s")
        time.sleep(POLL_S)


def _spread(samples: list[dict[str, float]]) -> dict[str, Any]:
    return {
        name: {
            "median_ms": round(float(np.median(values)) * 1e3, 1),
            "p95_ms": round(float(np.percentile(values, 95)) * 1e3, 1),
            "most_ms": round(max(values) * 1e3, 1),
            "runs": len(values),
        }
        for name in samples[0]
        for values in [[each[name] for each in samples]]
    }


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
