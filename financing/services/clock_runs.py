"""Everything that time brings about, at a given moment; called by a task that beat asks for."""

from collections import Counter
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from financing.match_runs import NoPolicy, current_policy
from financing.services.insurance_policies import run_renewals
from financing.services.lapse_clocks import tick_offers, tick_patents, tick_requests
from financing.services.match_clocks import tick_matches
from sipo_portal.outbox.models import OutboxMessage
from sipo_portal.outbox.services import enqueue

TASK = "financing.run_clocks"


def run_clocks(*, now: datetime) -> Counter[str]:
    """Remind, hand up, lapse and expire what is due at `now`; counts by what was done.

    Only `now` decides what is due. Run again, or by two at once, nothing happens twice: each row
    is looked at again under its lock, and one that another round holds is left to it.
    """
    done = tick_patents(now) + run_renewals(now)
    try:
        current_policy(timezone.localdate(now))
    except NoPolicy:
        # Before set-up is complete nothing else has a length of time.
        return done
    return done + tick_matches(now) + tick_requests(now) + tick_offers(now)


@transaction.atomic
def request_clock_run() -> None:
    """Have the clocks run soon; one round that waits for a worker is enough."""
    if not OutboxMessage.objects.waiting().filter(task=TASK).exists():
        enqueue(TASK)
