"""A market over several provinces, and runs over it cut into bundles; for tests of sharded runs."""

from typing import Any

from celery import current_app
from django.db import transaction
from django.utils import timezone

from financing.full_run_inputs import read_full_run
from financing.matching.national.run import run_matching as run_national
from financing.models import MatchRun, Proposal
from financing.services.match_runs import request_run
from sipo_portal.audit.actors import Actor
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.businesses import make_appraisal, make_business, make_patent
from tests.factories.financing import make_loan_offer, make_loan_request, make_policy
from tests.factories.offices import make_office

REGIONS = ("110101", "320505", "330106", "440305", "510104", "540102", "650102")


def make_market(requests: int = 42) -> None:
    """Open loan requests in seven provinces and offers of which some are scarce or regional."""
    make_policy()
    for number in range(requests):
        business = make_business(region=REGIONS[number * number % len(REGIONS)])
        patent = make_patent(business)
        make_appraisal(patent, 4_000_000 + 370_000 * (number % 11))
        make_loan_request(business, [patent], principal=800_000 + 100_000 * (number % 5))
    for rate in ("2.800", "3.000", "3.200"):
        make_loan_offer(interest_rate_percent=rate, capacity_amount=9_000_000)
    make_loan_offer(interest_rate_percent="2.500", capacity_amount=3_000_000)
    make_loan_offer(interest_rate_percent="2.600", regions=["440000"], capacity_amount=2_000_000)
    make_loan_offer(interest_rate_percent="2.700", capacity_count=4)


def ask_for_run() -> MatchRun:
    return request_run(actor=Actor.SYSTEM, office=make_office(None))


def digest_of_one_process() -> str:
    """What the matcher alone makes of the rows, by the rounds of a sharded run."""
    with transaction.atomic():
        found = read_full_run(ask_for_run(), timezone.localdate())
        transaction.set_rollback(True)
    return run_national(found.run, over_shards=True).result_digest


def proposals(**of: Any) -> list[tuple[Any, ...]]:
    columns = ("loan_request_id", "loan_offer_id", "rank", "amount", "saving")
    return sorted(Proposal.objects.filter(**of).values_list(*columns))


def deliver_waiting() -> int:
    """Work on every message that is due, once; how many there were."""
    current_app.loader.import_default_modules()
    messages = list(OutboxMessage.objects.waiting().filter(available_at__lte=timezone.now()))
    for message in messages:
        current_app.tasks[message.task](message.pk)
    return len(messages)


def deliver_all() -> int:
    """Until none is waiting; how many messages it took."""
    count = 0
    while some := deliver_waiting():
        count += some
    return count
