"""Requests and matches in every stage there is, for the demo's accounts of two cities.

The acts are those of the pages (`acts`). Before the full run, so that nobody else's requests decide
what is proposed; `seeding` calls it.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from businesses.models import Business, Patent
from financing.demo.acts import (
    Side,
    accept,
    ask_for_cover,
    ask_for_loan,
    claim,
    claim_other,
    draw_down,
    offer,
    refer,
    register,
    study,
)
from financing.demo.stage_firms import seed_stage_firms
from financing.demo.stage_offers import post_covers, post_guarantee, post_loans
from financing.models import LoanRequest
from financing.models.matches import DecisionReason
from financing.services import (
    completions,
    insurance_policies,
    match_clocks,
    match_runs,
    matches,
    person_consents,
    questions,
    requests,
    studies,
)
from financing.services.matches import Reason
from sipo_portal.accounts.models import User
from sipo_portal.audit.actors import Actor

# Long after the days an institution has for its answer, and both sides have until the money.
SILENCE = timedelta(days=240)
# (people by the digit of their address, division of the city)
CITIES = (
    ({"owner": 1, "studied": 3, "coordinator": 1, "lender": 1, "insurer": 1}, "320500"),
    ({"owner": 2, "studied": 4, "coordinator": 2, "lender": 2, "insurer": 2}, "440300"),
)
Firms = dict[str, tuple[Business, list[Patent]]]


def seed_stages(users: dict[str, User], today: date) -> None:
    """Every stage of a loan and of an insurance, for either city."""
    businesses = seed_stage_firms(users, today)
    patents: dict[int, list[Patent]] = {}
    for patent in Patent.objects.filter(business__in=businesses.values()).order_by("pk"):
        patents.setdefault(patent.business_id, []).append(patent)
    cities = []
    for numbers, region in CITIES:
        side = _side(users, numbers, today)
        loans = post_loans(side.lender, region, today)
        post_covers(side.insurer, today)
        if region == CITIES[0][1]:
            guarantor = Actor.of(users["guarantor1@demo.example"])
            post_guarantee(guarantor, loans, today)
        own = {side.owner.user.email, side.studied_owner.user.email}
        firms = {
            key: (business, patents[business.pk])
            for (email, key), business in businesses.items()
            if email in own
        }
        cities.append((side, firms))
    silent = [_left_unanswered(side, firms) for side, firms in cities]
    _let_time_pass(timezone.now())
    for (side, firms), (expired, fallen) in zip(cities, silent, strict=True):
        _terms_on_the_table(side, expired)
        _accepted(side, fallen)
        for stage in LOAN_STAGES:
            stage(side, firms)
        _covers(side, firms)


def _side(users: dict[str, User], numbers: dict[str, int], today: date) -> Side:
    def actor(role: str, number: int) -> Actor:
        return Actor.of(users[f"{role}{number}@demo.example"])

    return Side(
        owner=actor("owner", numbers["owner"]),
        studied_owner=actor("owner", numbers["studied"]),
        coordinator=actor("coordinator", numbers["coordinator"]),
        lender=actor("lender", numbers["lender"]),
        insurer=actor("insurer", numbers["insurer"]),
        today=today,
    )


# --- loans ------------------------------------------------------------------------------------


def _left_unanswered(side: Side, firms: Firms) -> tuple[LoanRequest, LoanRequest]:
    """Referred, and the bank says nothing; accepted, and nobody goes on."""
    business, patents = firms["terms"]
    referred = ask_for_loan(side.owner, business, 1_600_000, patents[:2])
    refer(side, referred)
    business, patents = firms["accepted"]
    accepted = ask_for_loan(side.owner, business, 1_200_000, patents[:2])
    accept(side, side.owner, accepted)
    return referred, accepted


def _let_time_pass(now: datetime) -> None:
    """The clock does to what there is so far what it would do months later: one match expires, the
    other falls through."""
    match_clocks.tick_matches(now + SILENCE)


def _terms_on_the_table(side: Side, request: LoanRequest) -> None:
    """After the silence: another bank's proposal rejected, terms of the same bank to answer."""
    match_runs.match_request(request.pk)
    other = claim_other(side, request)
    if other is not None:
        matches.reject(
            actor=side.coordinator,
            match=other,
            reason=Reason(DecisionReason.BETTER_ALTERNATIVE, text="本市已有成本更低的贷款可选。"),
        )
    offer(side, side.owner, request, share=Decimal("0.9"))


def _accepted(side: Side, request: LoanRequest) -> None:
    """After it fell through once: accepted again, its pledges planned, another one superseded."""
    match_runs.match_request(request.pk)
    claim_other(side, request)
    accept(side, side.owner, request)


def _declined(side: Side, firms: Firms) -> None:
    """Declined with a reason; another bank has it blind, a third one's is in review."""
    business, patents = firms["declined"]
    request = ask_for_loan(side.owner, business, 800_000, patents[:2])
    match = refer(side, request)
    other = claim_other(side, request)
    if other is not None:
        matches.approve(actor=side.coordinator, match=other)
    claim_other(side, request)
    studies.decline(
        actor=side.lender,
        match=match,
        reason=Reason(
            DecisionReason.OUTSIDE_APPETITE, text="本行本季度该行业的专利质押额度已用完。"
        ),
    )


def _drawn(side: Side, firms: Firms) -> None:
    """A loan wholly drawn and completed, whose delivery is to confirm; the next one in part."""
    business, patents = firms["drawn"]
    first = ask_for_loan(side.owner, business, 600_000, patents[:2])
    match = accept(side, side.owner, first)
    register(side, match)
    draw_down(side, match, match.amount, "FK-01")
    completions.complete(actor=side.lender, match=match)
    second = ask_for_loan(side.owner, business, 1_000_000, patents[2:])
    match = accept(side, side.owner, second)
    register(side, match)
    draw_down(side, match, Decimal(400_000), "FK-02")


def _in_study(side: Side, firms: Firms) -> None:
    business, patents = firms["study"]
    request = ask_for_loan(side.studied_owner, business, 900_000, patents[:2])
    match = study(side, side.studied_owner, request)
    question = studies.ask(
        actor=side.lender, match=match, text="请说明专利产品去年的销售收入与主要客户类型。"
    )
    questions.answer_question(
        actor=side.studied_owner,
        question=question,
        text="去年专利产品收入约 820 万元，客户主要为设备制造企业。",
    )


def _waiting(side: Side, firms: Firms) -> None:
    business, patents = firms["waiting"]
    request = ask_for_loan(side.studied_owner, business, 1_400_000, patents[:3])
    match = study(side, side.studied_owner, request)
    studies.ask(
        actor=side.lender,
        match=match,
        text="请提供最近一年的纳税申报表，并说明贷款用于哪一批订单。",
    )


def _interested(side: Side, firms: Firms) -> None:
    """The bank wants to know who it is; nobody has consented, one person was asked."""
    business, patents = firms["interested"]
    request = ask_for_loan(side.studied_owner, business, 700_000, patents[:1])
    match = refer(side, request)
    studies.declare_interest(actor=side.lender, match=match)
    person_consents.ask_person(
        actor=side.studied_owner,
        match=match,
        role="legal_representative",
        name=business.legal_representative,
        email="person1@demo.example",
    )


LOAN_STAGES: tuple[Callable[[Side, Firms], None], ...] = (
    _drawn,
    _declined,
    _in_study,
    _waiting,
    _interested,
)


# --- insurances -------------------------------------------------------------------------------


def _covers(side: Side, firms: Firms) -> None:
    """The owner's three businesses ask for cover of every kind but one, each in another stage."""
    owner = side.owner
    first, its_patents = firms["terms"]
    offer(side, owner, ask_for_cover(owner, first, "enforcement", 300_000, its_patents[2:]))
    study(side, owner, ask_for_cover(owner, first, "infringement_loss", 200_000, its_patents[2:]))
    _covered(side, first)
    second, its_patents = firms["accepted"]
    claim(side, ask_for_cover(owner, second, "enforcement", 500_000, its_patents[2:]))
    match = study(
        side, owner, ask_for_cover(owner, second, "infringement_loss", 400_000, its_patents[2:])
    )
    studies.ask(actor=side.insurer, match=match, text="是否收到过与这些专利有关的警告函？")
    taken_back = ask_for_cover(owner, second, "infringement_liability", 1_000_000, [])
    refer(side, taken_back)
    requests.withdraw(actor=owner, request=taken_back)
    third, its_patents = firms["drawn"]
    matches.return_to_business(
        actor=side.coordinator,
        match=claim(side, ask_for_cover(owner, third, "enforcement", 200_000, its_patents[2:])),
        reason=Reason(
            DecisionReason.INFORMATION_MISSING, text="请说明这些专利是否已许可他人实施。"
        ),
    )
    refer(side, ask_for_cover(owner, third, "infringement_loss", 600_000, its_patents[2:]))
    match = refer(side, ask_for_cover(owner, third, "infringement_liability", 800_000, []))
    studies.declare_interest(actor=side.insurer, match=match)
    fourth, its_patents = firms["declined"]
    studies.decline(
        actor=side.insurer,
        match=refer(side, ask_for_cover(owner, fourth, "enforcement", 900_000, its_patents[2:])),
        reason=Reason(DecisionReason.PATENT_NOT_SUITABLE, text="同族专利在诉，暂不承保。"),
    )


def _covered(side: Side, business: Business) -> None:
    """A trade fair's liability, without own patents: its policy ends within the month."""
    request = ask_for_cover(side.owner, business, "overseas_liability", 500_000, [])
    match = accept(side, side.owner, request)
    insurance_policies.issue_policy(
        actor=side.insurer,
        match=match,
        number=f"DEMO-{side.today.year}-{request.pk:06d}",
        starts_on=side.today,
    )
