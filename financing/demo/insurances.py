"""Demo insurance requests of many businesses, some referred to insurers; called by `seeding`."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from django.db.models import QuerySet
from django.utils import timezone

from businesses.models import Business
from financing.demo.firms import Firms, may_ask
from financing.models import InsuranceRequest, Proposal
from financing.models.matches import Match
from financing.models.requests import RequestStatus
from financing.permissions import LIVE_PATENT_STATUSES
from financing.services import (
    matches,
)
from sipo_portal.accounts.models import User
from sipo_portal.audit.actors import Actor

REQUEST_COUNT = 80
# Of its own, so that what is drawn elsewhere stays as it is.
SEED = 57
COVERS = ("enforcement", "enforcement", "infringement_loss", "infringement_liability")
LIABILITY = "infringement_liability"


def seed_insurance_requests(firms: Firms) -> None:
    """80 open requests of as many businesses, none of them a demo owner's."""
    random = Random(SEED)
    askers = [each for each in firms.businesses if may_ask(each)]
    rows = [_request(random, each, firms) for each in random.sample(askers[8:], REQUEST_COUNT)]
    created = InsuranceRequest.objects.bulk_create(request for request, _patents in rows)
    through = InsuranceRequest.patents.through
    through.objects.bulk_create(
        through(insurancerequest_id=request.pk, patent_id=patent_id)
        for request, (_row, patent_ids) in zip(created, rows, strict=True)
        for patent_id in patent_ids
    )


def _request(
    random: Random, business: Business, firms: Firms
) -> tuple[InsuranceRequest, list[int]]:
    asked_at = timezone.now() - timedelta(days=random.randint(1, 60), hours=random.randint(0, 9))
    live = [
        patent.pk
        for patent in firms.patents.get(business.pk, [])
        if patent.status in LIVE_PATENT_STATUSES
    ]
    cover = random.choice(COVERS) if live else LIABILITY
    request = InsuranceRequest(
        business=business,
        status=RequestStatus.OPEN,
        status_changed_at=asked_at,
        cover_kind=cover,
        sum_insured=Decimal(random.choice((50, 100, 100, 200, 300, 500)) * 1000),
        premium_limit=random.choice((None, None, Decimal(2500), Decimal(5000))),
        submitted_at=asked_at,
        refreshed_at=asked_at,
    )
    return request, live[: random.randint(1, 4)]


def seed_insurance_reviews(users: dict[str, User], today: date) -> None:
    """Each coordinator refers one request to every insurer that is proposed."""
    for email in ("coordinator1@demo.example", "coordinator2@demo.example"):
        actor = Actor.of(users[email])
        seen: set[int] = set()
        for proposal in _proposals(actor).exclude(business__members__isnull=False):
            institution_id = proposal.offer.institution_id
            if institution_id not in seen:
                seen.add(institution_id)
                _refer(actor, proposal, today)


def _proposals(actor: Actor) -> QuerySet[Proposal]:
    return (
        Proposal.objects.visible_to(actor.user)
        .filter(rank=1, business__status="verified", insurance_request__isnull=False)
        .select_related("insurance_offer__institution", "insurance_request", "business")
        .order_by("insurance_offer__institution_id", "pk")
    )


def _refer(actor: Actor, proposal: Proposal, today: date) -> Match:
    match = matches.claim(actor=actor, proposal=proposal)
    matches.approve(actor=actor, match=match, extract_checked_on=today)
    return match
