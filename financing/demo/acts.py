"""What people do on requests and matches, in a line each; `stages` puts the lines together.

Every act goes through the service that the pages call, as the person who may do it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import QuerySet

from businesses.models import Business, Patent
from businesses.rules.premiums import premium
from financing.consent_state import consent_state
from financing.lifecycles import REQUEST
from financing.match_rows import nominal_rate_percent
from financing.models import InsuranceRequest, LoanRequest, Match, Proposal, Terms
from financing.pair_kinds import AnyRequest
from financing.pledge_contracts import usual_contract
from financing.premiums import tariff_of
from financing.services import (
    acceptances,
    completions,
    consents,
    full_runs,
    insurance_requests,
    loan_requests,
    match_runs,
    matches,
    person_consents,
    pledges,
    requests,
    studies,
)
from financing.services.offer_terms import FeeTerms
from financing.services.offered_terms import OfferedTerms
from financing.services.requests import RequestT
from financing.services.terms import offer_terms
from sipo_portal.audit.actors import Actor
from sipo_portal.offices.working_days import add_working_days
from sipo_portal.workflow.advance import advance

PURPOSE_TEXT = "专利产品已获首批订单，贷款用于采购原材料与设备调试。"

FEE = FeeTerms(kind="service", payer="borrower", timing="upfront", amount=Decimal(800))


@dataclass(frozen=True)
class Side:
    """The people of one city, each as an actor."""

    owner: Actor
    studied_owner: Actor
    coordinator: Actor
    lender: Actor
    insurer: Actor
    today: date

    def staff_of(self, match: Match) -> Actor:
        """The institution's own staff: it is the side's bank or the side's insurer."""
        return self.lender if match.loan_request_id is not None else self.insurer


def ask_for_loan(
    owner: Actor, business: Business, principal: int, patents: Sequence[Patent]
) -> LoanRequest:
    """Filled in, submitted, opened."""
    request = loan_requests.start_draft(actor=owner, business=business)
    request = loan_requests.save_loan(
        actor=owner,
        request=request,
        principal=Decimal(principal),
        least_accepted=Decimal(principal) * 7 / 10,
        term_months=12,
    )
    request = loan_requests.save_patents(
        actor=owner, request=request, patent_ids=[patent.pk for patent in patents]
    )
    request = loan_requests.save_purpose(
        actor=owner, request=request, purpose="production", purpose_text=PURPOSE_TEXT
    )
    return _opened(requests.submit(actor=owner, request=request))


def ask_for_cover(
    owner: Actor, business: Business, cover: str, sum_insured: int, patents: Sequence[Patent]
) -> InsuranceRequest:
    """The same for an insurance."""
    request = insurance_requests.start_draft(actor=owner, business=business, cover_kind=cover)
    request = insurance_requests.save_cover(
        actor=owner, request=request, sum_insured=Decimal(sum_insured)
    )
    request = requests.save_patents(
        actor=owner, request=request, patent_ids=[patent.pk for patent in patents]
    )
    return _opened(requests.submit(actor=owner, request=request))


def _opened(request: RequestT) -> RequestT:
    """What the matcher does first with a submitted request; one run proposes for all of them."""
    advance(REQUEST, request, "open", actor=Actor.MATCHER)
    return request


def run_matching(side: Side) -> None:
    """The coordinator's run over the region of the own office."""
    office = side.coordinator.user.office
    run = match_runs.request_run(actor=side.coordinator, office=office)
    full_runs.run_full(run.pk)


def claim(side: Side, request: AnyRequest) -> Match:
    """The proposal of the side's own institution, taken into review."""
    own = _proposals(request, side).order_by("rank")[0]
    return matches.claim(actor=side.coordinator, proposal=own)


def claim_other(side: Side, request: AnyRequest) -> Match | None:
    """The best proposal of another institution, taken into review; None where there is none."""
    own = _proposals(request, side).values("pk")
    other = request.proposals.exclude(pk__in=own).order_by("rank").first()
    return None if other is None else matches.claim(actor=side.coordinator, proposal=other)


def _proposals(request: AnyRequest, side: Side) -> QuerySet[Proposal]:
    if isinstance(request, LoanRequest):
        post = side.lender.user.institution_post
        return request.proposals.filter(loan_offer__institution=post.institution_id)
    post = side.insurer.user.institution_post
    return request.proposals.filter(insurance_offer__institution=post.institution_id)


def refer(side: Side, request: AnyRequest) -> Match:
    """Claimed and approved: the institution has it, blind."""
    return matches.approve(actor=side.coordinator, match=claim(side, request))


def open_identity(owner: Actor, match: Match) -> None:
    """The business and everybody concerned consent."""
    consents.give_consent(actor=owner, match=match)
    for place, person in enumerate(consent_state(match).missing, 1):
        row = person_consents.ask_person(
            actor=owner,
            match=match,
            role=person.role,
            name=person.name,
            email=f"person{place}@demo.example",
        )
        person_consents.answer_person(row.token, answer="given")


def study(side: Side, owner: Actor, request: AnyRequest) -> Match:
    """Referred, opened, in study."""
    match = refer(side, request)
    open_identity(owner, match)
    return studies.study(actor=side.staff_of(match), match=match)


def offer(side: Side, owner: Actor, request: AnyRequest, *, is_worse: bool = False) -> Terms:
    """In study and then terms as posted; `is_worse`: on less, at a higher rate, with a fee."""
    match = study(side, owner, request)
    if match.loan_offer is not None:
        offered = OfferedTerms(
            amount=(match.amount * 9 / 10).quantize(Decimal(1)) if is_worse else match.amount,
            interest_rate_percent=nominal_rate_percent(match.loan_offer, side.today)
            + (Decimal("0.05") if is_worse else 0),
            fees=(FEE,) if is_worse else (),
            term_months=12,
            repayment_method=match.loan_offer.repayment_method,
            day_count=match.loan_offer.day_count,
            conditions="放款前提供最近三个月的开户行流水；专利年费在贷款期内按时缴纳。",
            valid_until=add_working_days(side.today, 10)[0],
        )
    else:
        cover = match.insurance_offer
        assert cover is not None
        offered = OfferedTerms(
            amount=match.amount,
            term_months=cover.period_months,
            premium=premium(tariff_of(cover), match.patents.count(), match.amount),
            excess_percent=cover.excess_percent,
            conditions="投保人在知悉侵权之日起三十日内报案。",
            valid_until=add_working_days(side.today, 10)[0],
        )
    return offer_terms(actor=side.staff_of(match), match=match, offered=offered)


def accept(side: Side, owner: Actor, request: AnyRequest) -> Match:
    """Terms offered and accepted."""
    terms = offer(side, owner, request)
    return acceptances.accept_terms(actor=owner, terms=terms)


def register(side: Side, match: Match) -> None:
    """Every planned pledge entered in the register today."""
    for place, pledge in enumerate(match.pledges.order_by("application_number"), 1):
        pledges.register_pledge(
            actor=side.lender,
            pledge=pledge,
            registration_number=f"Y{side.today.year}99{match.loan_request_id:05d}{place}",
            registered_on=side.today,
            contract=usual_contract(match, signed_on=side.today),
        )


def draw_down(side: Side, match: Match, amount: Decimal, reference: str) -> None:
    """Money out today."""
    completions.record_drawdown(
        actor=side.lender,
        match=match,
        amount=amount,
        drawn_on=side.today,
        reference=reference,
    )
