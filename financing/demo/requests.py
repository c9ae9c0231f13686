"""Demo loan requests, and matches in the states people can bring them to."""

import math
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from django.db.models import QuerySet
from django.utils import timezone

from businesses.models import Business
from businesses.models.patents import PatentStatus
from financing.demo.firms import OWNED, Firms, may_ask
from financing.models import InstitutionStaff, LoanRequest, Proposal
from financing.models.matches import DecisionReason
from financing.models.requests import RequestStatus
from financing.services import full_runs, loan_requests, match_runs, matches
from financing.services.matches import Reason
from sipo_portal.accounts.models import User
from sipo_portal.audit.actors import Actor

REQUEST_COUNT = 300
TERMS = (6, 12, 12, 12, 18, 24, 24, 36)
PURPOSES = ("working_capital", "research", "equipment", "production", "licensing")
TEXTS = (
    "购买原材料和支付订单生产周转资金。",
    "新一代样机的研发与测试。",
    "扩建一条生产线。",
    "专利产品的试生产和市场推广。",
)


def seed_requests(random: Random, firms: Firms, today: date) -> None:
    """300 requests: most open, some drafts, a few withdrawn or expired.

    Amounts lognormal, median 3.5 million, sigma 1.8 (DOMAIN 4.6), cut to what such offers lend.
    """
    askers = [business for business in firms.businesses if may_ask(business)]
    rows: list[tuple[LoanRequest, list[int]]] = []
    for business in askers:
        if len(rows) == REQUEST_COUNT:
            break
        rows.append(_request(random, business, firms, RequestStatus.SUBMITTED))
    while len(rows) < REQUEST_COUNT:
        status = random.choice((RequestStatus.WITHDRAWN, RequestStatus.EXPIRED))
        rows.append(_request(random, random.choice(askers), firms, status))
    for place in range(20, 44):
        rows[place][0].status = RequestStatus.DRAFT
        rows[place][0].submitted_at = rows[place][0].refreshed_at = None
    created = LoanRequest.objects.bulk_create(request for request, _patents in rows)
    through = LoanRequest.patents.through
    through.objects.bulk_create(
        through(loanrequest_id=request.pk, patent_id=patent_id)
        for request, (_row, patent_ids) in zip(created, rows, strict=True)
        for patent_id in patent_ids
    )
    LoanRequest.objects.filter(status=RequestStatus.SUBMITTED).update(status=RequestStatus.OPEN)


def _request(
    random: Random, business: Business, firms: Firms, status: RequestStatus
) -> tuple[LoanRequest, list[int]]:
    wanted = random.lognormvariate(math.log(3.5e6), 1.8)
    principal = Decimal(round(min(max(wanted, 2e5), 9e6) / 5e4) * 50_000)
    asked_at = timezone.now() - timedelta(days=random.randint(1, 75), hours=random.randint(0, 9))
    live = [
        patent.pk
        for patent in firms.patents.get(business.pk, [])
        if patent.status in (PatentStatus.REGISTERED, PatentStatus.VERIFIED)
    ]
    request = LoanRequest(
        business=business,
        status=status,
        status_changed_at=asked_at,
        principal=principal,
        least_accepted=(principal * Decimal(random.choice(("0.3", "0.5", "0.7", "1")))).quantize(
            Decimal(1)
        ),
        term_months=random.choice(TERMS),
        max_apr_percent=random.choice((None, None, Decimal("3.5"), Decimal(4))),
        purpose=random.choice(PURPOSES),
        purpose_text=random.choice(TEXTS),
        submitted_at=asked_at,
        refreshed_at=asked_at,
    )
    return request, live[:6]


def seed_run_and_reviews(users: dict[str, User]) -> None:
    """A full run, then both coordinators review: matches in every state there is."""
    run = match_runs.request_nightly_run(on=timezone.localdate())
    full_runs.run_full(run.pk)
    for email in ("coordinator1@demo.example", "coordinator2@demo.example"):
        _review(Actor.of(users[email]))
    _withdraw_one(users["coordinator2@demo.example"], users["owner2@demo.example"])


def _review(actor: Actor) -> None:
    today = timezone.localdate()
    proposals = list(
        Proposal.objects.visible_to(actor.user)
        .filter(rank=1, business__status="verified", loan_request__isnull=False)
        .exclude(business__members__isnull=False)
        .select_related("loan_offer", "loan_request", "business")
        .order_by("loan_offer__institution_id", "pk")
    )
    # One referral for every institution whose staff can sign in here.
    awaiting = set(InstitutionStaff.objects.values_list("institution_id", flat=True))
    for proposal in proposals:
        institution_id = proposal.offer.institution_id
        if institution_id in awaiting:
            awaiting.remove(institution_id)
            match = matches.claim(actor=actor, proposal=proposal)
            matches.approve(actor=actor, match=match, extract_checked_on=today)
    left = [each for each in proposals if Proposal.objects.filter(pk=each.pk).exists()]
    for proposal in left[:3]:
        matches.claim(actor=actor, proposal=proposal)
    for proposal in left[3:5]:
        matches.reject(
            actor=actor,
            match=matches.claim(actor=actor, proposal=proposal),
            reason=Reason(DecisionReason.FACTS_DOUBTFUL, text="年费缴纳记录与登记簿不符。"),
        )
    for proposal in left[5:7]:
        matches.return_to_business(
            actor=actor,
            match=matches.claim(actor=actor, proposal=proposal),
            reason=Reason(DecisionReason.INFORMATION_MISSING, text="请补充最近一年的财务报表。"),
        )


def _withdraw_one(coordinator: User, owner: User) -> None:
    """A business that took its request back while a match was in review."""
    proposal = (
        Proposal.objects.visible_to(coordinator)
        .filter(rank=1, loan_request__isnull=False, business__in=_last_business_of(owner))
        .select_related("loan_offer", "loan_request")
        .first()
    )
    if proposal is not None and proposal.loan_request is not None:
        matches.claim(actor=Actor.of(coordinator), proposal=proposal)
        loan_requests.withdraw(actor=Actor.of(owner), request=proposal.loan_request)


def _last_business_of(owner: User) -> QuerySet[Business]:
    """The last of `firms.OWNED`; what a stage is shown with came after them."""
    owned = list(Business.objects.visible_to(owner).order_by("pk"))
    count = sum(email == owner.email for email, _region in OWNED)
    return Business.objects.filter(pk=owned[count - 1].pk)
