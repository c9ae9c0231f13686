"""Requests and matches in every stage there is, for the demo's accounts of two cities.

The acts are those of the pages (`acts`). Before the full run, so that nobody else's requests decide
what is proposed; `seeding` calls it.
"""

from dataclasses import dataclass
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
    run_matching,
    study,
)
from financing.demo.stage_firms import seed_stage_firms
from financing.demo.stage_offers import post_covers, post_guarantee, post_loans
from financing.models import InsuranceRequest, LoanRequest
from financing.models.matches import DecisionReason
from financing.models.person_consents import PersonRole
from financing.services import (
    completions,
    incremental_runs,
    insurance_policies,
    match_clocks,
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
# (business, yuan, from and to which of its patents)
LOANS = (
    ("terms", 1_600_000, 0, 2),
    ("accepted", 1_200_000, 0, 2),
    ("drawn", 600_000, 0, 2),
    ("declined", 800_000, 0, 2),
    ("study", 900_000, 0, 2),
    ("waiting", 1_400_000, 0, 3),
    ("interested", 700_000, 0, 1),
)
# (business, cover, sum insured, whether with its other patents)
COVERS = (
    ("terms", "enforcement", 300_000, True),
    ("terms", "infringement_loss", 200_000, True),
    ("terms", "overseas_liability", 500_000, False),
    ("accepted", "enforcement", 500_000, True),
    ("accepted", "infringement_loss", 400_000, True),
    ("accepted", "infringement_liability", 1_000_000, False),
    ("drawn", "enforcement", 200_000, True),
    ("drawn", "infringement_loss", 600_000, True),
    ("drawn", "infringement_liability", 800_000, False),
    ("declined", "enforcement", 900_000, True),
    ("declined", "overseas_liability", 500_000, False),
)
STUDIED = ("study", "waiting", "interested")


@dataclass(frozen=True)
class City:
    """Its people, their businesses with the patents, and what they ask for, by business."""

    side: Side
    firms: dict[str, tuple[Business, list[Patent]]]
    loans: dict[str, LoanRequest]
    covers: dict[tuple[str, str], InsuranceRequest]

    def owner_of(self, key: str) -> Actor:
        return self.side.studied_owner if key in STUDIED else self.side.owner

    def ask(self) -> None:
        """Every request, then one run that proposes for all of them."""
        for key, principal, first, last in LOANS:
            business, patents = self.firms[key]
            self.loans[key] = ask_for_loan(
                self.owner_of(key), business, principal, patents[first:last]
            )
        for key, cover, sum_insured, has_patents in COVERS:
            business, patents = self.firms[key]
            self.covers[key, cover] = ask_for_cover(
                self.side.owner, business, cover, sum_insured, patents[2:] if has_patents else ()
            )
        run_matching(self.side)


def seed_stages(users: dict[str, User], today: date) -> None:
    """Every stage of a loan and of an insurance, for either city."""
    cities = _cities(users, today)
    for city in cities:
        city.ask()
        _leave_unanswered(city)
    _let_time_pass(timezone.now())
    for city in cities:
        _terms_on_the_table(city)
        _accepted(city)
        _drawn(city)
        _declined(city)
        _studied(city)
        _insured(city)
        _insured_later(city)
        _not_insured(city)


def _cities(users: dict[str, User], today: date) -> list[City]:
    businesses = seed_stage_firms(users, today)
    patents: dict[int, list[Patent]] = {}
    for patent in Patent.objects.filter(business__in=businesses.values()).order_by("pk"):
        patents.setdefault(patent.business_id, []).append(patent)
    cities: list[City] = []
    for numbers, region in CITIES:
        side = _side(users, numbers, today)
        loans = post_loans(side.lender, region, today)
        post_covers(side.insurer, today)
        if not cities:
            post_guarantee(Actor.of(users["guarantor1@demo.example"]), loans, today)
        own = {side.owner.user.email, side.studied_owner.user.email}
        firms = {
            key: (business, patents[business.pk])
            for (email, key), business in businesses.items()
            if email in own
        }
        cities.append(City(side, firms, {}, {}))
    return cities


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


def _leave_unanswered(city: City) -> None:
    """Referred, and the bank says nothing; accepted, and nobody goes on."""
    refer(city.side, city.loans["terms"])
    accept(city.side, city.side.owner, city.loans["accepted"])


def _let_time_pass(now: datetime) -> None:
    """The clock does to what there is so far what it would do months later: one match expires, the
    other falls through."""
    match_clocks.tick_matches(now + SILENCE)


def _terms_on_the_table(city: City) -> None:
    """After the silence: another bank's proposal rejected, terms of the same bank to answer."""
    side, request = city.side, city.loans["terms"]
    incremental_runs.match_request(request.pk)
    other = claim_other(side, request)
    if other is not None:
        matches.reject(
            actor=side.coordinator,
            match=other,
            reason=Reason(DecisionReason.BETTER_ALTERNATIVE, text="本市已有成本更低的贷款可选。"),
        )
    offer(side, side.owner, request, is_worse=True)


def _accepted(city: City) -> None:
    """After it fell through once: accepted again, its pledges planned, another one superseded."""
    side, request = city.side, city.loans["accepted"]
    incremental_runs.match_request(request.pk)
    claim_other(side, request)
    accept(side, side.owner, request)


def _drawn(city: City) -> None:
    """A loan wholly drawn and completed, whose delivery is to confirm; the next one in part."""
    side = city.side
    match = accept(side, side.owner, city.loans["drawn"])
    register(side, match)
    draw_down(side, match, match.amount, "FK-01")
    completions.complete(actor=side.lender, match=match)
    business, patents = city.firms["drawn"]
    second = ask_for_loan(side.owner, business, 1_000_000, patents[2:])
    incremental_runs.match_request(second.pk)
    match = accept(side, side.owner, second)
    register(side, match)
    draw_down(side, match, Decimal(400_000), "FK-02")


def _declined(city: City) -> None:
    """Declined with a reason; another bank has it blind, a third one's is in review."""
    side, request = city.side, city.loans["declined"]
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


def _studied(city: City) -> None:
    """In study after an answer, waiting for one, and wanted while nobody has consented yet."""
    side, owner = city.side, city.side.studied_owner
    match = study(side, owner, city.loans["study"])
    question = studies.ask(
        actor=side.lender, match=match, text="请说明专利产品去年的销售收入与主要客户类型。"
    )
    questions.answer_question(
        actor=owner,
        question=question,
        text="去年专利产品收入约 820 万元，客户主要为设备制造企业。",
    )
    match = study(side, owner, city.loans["waiting"])
    studies.ask(
        actor=side.lender,
        match=match,
        text="请提供最近一年的纳税申报表，并说明贷款用于哪一批订单。",
    )
    match = refer(side, city.loans["interested"])
    studies.declare_interest(actor=side.lender, match=match)
    person_consents.ask_person(
        actor=owner,
        match=match,
        role=PersonRole.LEGAL_REPRESENTATIVE,
        name=match.business.legal_representative,
        email="person1@demo.example",
    )


# --- insurances -------------------------------------------------------------------------------


def _insured(city: City) -> None:
    """Terms to answer, in study, and a trade fair's cover that ends within the month."""
    side, owner = city.side, city.side.owner
    offer(side, owner, city.covers["terms", "enforcement"])
    study(side, owner, city.covers["terms", "infringement_loss"])
    request = city.covers["terms", "overseas_liability"]
    insurance_policies.issue_policy(
        actor=side.insurer,
        match=accept(side, owner, request),
        number=f"DEMO-{side.today.year}-{request.pk:06d}",
        starts_on=side.today,
    )


def _insured_later(city: City) -> None:
    """Policy to be issued, in review, returned, referred, wanted before consent, waiting."""
    side, owner = city.side, city.side.owner
    accept(side, owner, city.covers["declined", "overseas_liability"])
    claim(side, city.covers["accepted", "enforcement"])
    match = study(side, owner, city.covers["accepted", "infringement_loss"])
    studies.ask(actor=side.insurer, match=match, text="是否收到过与这些专利有关的警告函？")
    matches.return_to_business(
        actor=side.coordinator,
        match=claim(side, city.covers["drawn", "enforcement"]),
        reason=Reason(
            DecisionReason.INFORMATION_MISSING, text="请说明这些专利是否已许可他人实施。"
        ),
    )
    refer(side, city.covers["drawn", "infringement_loss"])
    match = refer(side, city.covers["drawn", "infringement_liability"])
    studies.declare_interest(actor=side.insurer, match=match)


def _not_insured(city: City) -> None:
    """Taken back by the business, and declined by the insurer."""
    side, owner = city.side, city.side.owner
    taken_back = city.covers["accepted", "infringement_liability"]
    refer(side, taken_back)
    requests.withdraw(actor=owner, request=taken_back)
    studies.decline(
        actor=side.insurer,
        match=refer(side, city.covers["declined", "enforcement"]),
        reason=Reason(DecisionReason.PATENT_NOT_SUITABLE, text="同族专利在诉，暂不承保。"),
    )
