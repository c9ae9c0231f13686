"""Everything a coordinator decides one pair on, ready to be shown; review views build it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from math import ceil

from django.utils.translation import gettext as _

from businesses import annuity_texts, findings, identifier_texts, selectors, size_texts
from businesses.annuity_texts import AnnuityText
from businesses.findings import FindingLine
from businesses.models import Appraisal, Business, CoOwner, Patent
from businesses.rules.findings import Finding
from businesses.rules.patent_term import add_months
from businesses.services.businesses import credit_code_fault
from businesses.size_texts import SizeExplanation
from financing.costs import OfferCost
from financing.insurance_rows import insurance_conditions
from financing.match_rows import held_capacity
from financing.match_runs import (
    OfferExplanation,
    RequestExplanation,
    explain_pair,
    explain_request,
)
from financing.models.insurance_offers import InsuranceOffer
from financing.models.loan_offers import FeePayer, FeeTiming, LoanOffer
from financing.models.loan_requests import LoanRequest
from financing.models.matches import Match
from financing.models.policies import MatchingPolicy
from financing.offer_facts import criteria_facts
from financing.pair_kinds import AnyOffer, AnyRequest, kind_of
from financing.premiums import PremiumExample
from financing.rule_texts import (
    OutcomeText,
    change_text,
    industry_name,
    months,
    outcome_text,
    rule_title,
)
from financing.services.matches import REGISTER_EXTRACT_MAX_DAYS
from financing.views.offer_cards import OfferCard, card_of, fee_amount
from sipo_portal.ui import formats
from sipo_portal.ui.charts import Chart, capacity_bar


@dataclass(frozen=True)
class PatentCase:
    """One patent of the request. `is_in_basket`: this pair counts on it."""

    patent: Patent
    expires_on: date
    annuity: AnnuityText
    appraisal: Appraisal | None
    findings: list[FindingLine]
    co_owners: list[CoOwner]
    is_in_basket: bool
    is_extract_fresh: bool

    is_insured: bool = False

    @property
    def has_hard(self) -> bool:
        return any(line.met is False for line in self.findings)

    @property
    def finding_rules(self) -> list[dict[str, object]]:
        """Parameters of components/rule_list.html."""
        return [
            {
                "title": line.title,
                "met": line.met,
                "required": line.required,
                "found": line.found,
                "cure": line.cure,
            }
            for line in self.findings
        ]


@dataclass(frozen=True)
class CostLine:
    """One line of the cost table, yuan; `payer` only for fees."""

    label: str
    when: str
    payer: str
    amount: Decimal | None
    posted: str
    is_counted: bool = True


@dataclass(frozen=True)
class Candidate:
    """Another offer for the same request, in one line."""

    offer: AnyOffer
    outcome: OutcomeText
    amount: Decimal | None
    saving: Decimal | None
    why: str
    group: str
    match: Match | None


@dataclass(frozen=True)
class Case:
    """One request and one offer, with all that speaks for and against them."""

    subject: AnyRequest
    policy: MatchingPolicy
    card: OfferCard
    size: SizeExplanation
    business_facts: list[dict[str, str]]
    code_fault: str
    patents: list[PatentCase]
    offer_facts: list[dict[str, str]]
    capacity: Chart
    costs: list[CostLine]
    others: list[Candidate]

    @property
    def business(self) -> Business:
        return self.subject.business

    @property
    def offer(self) -> AnyOffer:
        return self.card.offer

    @property
    def cost(self) -> OfferCost | None:
        return self.card.cost

    @property
    def premium(self) -> PremiumExample | None:
        """Of an insurance: what it costs beside the policy's table."""
        return self.card.premium

    @property
    def term(self) -> str:
        """How long the loan runs, or the cover."""
        if isinstance(self.subject, LoanRequest):
            return months(self.subject.term_months or 0)
        assert isinstance(self.offer, InsuranceOffer)
        return months(self.offer.period_months)

    @property
    def asked(self) -> Decimal | None:
        """Principal or sum insured asked for, in yuan."""
        amount: Decimal | None = getattr(self.subject, kind_of(self.subject).amount_field)
        return amount

    @property
    def missed_count(self) -> int:
        return len(self.card.missed)

    @property
    def basket(self) -> list[PatentCase]:
        return [each for each in self.patents if each.is_in_basket]


def case_of(subject: AnyRequest, offer: AnyOffer, *, on: date, match: Match | None = None) -> Case:
    """`subject`: with `business__region`. `match`: show its amount and basket."""
    every = explain_request(subject, on=on)
    pair = next((each for each in every.all if each.offer.pk == offer.pk), None)
    if pair is None:
        pair = explain_pair(subject, offer, on=on)
    if match is not None:
        pair = replace(pair, match=match, amount=match.amount)
    patents = list(every.request.patents.all())
    titles = {str(patent.pk): patent.title for patent in patents}
    card = card_of(pair, subject, on=on, policy=every.policy, titles=titles)
    offer = card.offer
    basket = {patent.pk for patent in match.patents.all()} if match else set(pair.patent_ids)
    business = subject.business
    held = held_capacity([offer]).get(offer.pk)
    fault = credit_code_fault(business)
    return Case(
        subject=subject,
        policy=every.policy,
        card=card,
        size=size_texts.explain(selectors.size_verdict(business)),
        business_facts=_business_facts(business),
        code_fault=str(identifier_texts.credit_code_fault(fault)) if fault else "",
        patents=_patent_cases(patents, subject, offer, basket, on),
        offer_facts=criteria_facts(offer),
        capacity=capacity_bar(
            capacity=offer.capacity_amount,
            booked=offer.booked_amount,
            held=held.amount if held else Decimal(0),
        ),
        costs=cost_lines(card),
        others=candidates(every, without=offer.pk, titles=titles),
    )


def _business_facts(business: Business) -> list[dict[str, str]]:
    year = str(business.figures_year or "")
    return [
        {"label": _("Region"), "value": business.region.label},
        {"label": _("Industry"), "value": industry_name(business.industry)},
        {"label": _("Established on"), "value": formats.day(business.established_on)},
        {
            "label": _("Year of the figures"),
            "value": year,
            "note": _("taxable income of the year before under 1 million yuan")
            if business.has_low_taxable_income
            else "",
        },
    ]


def _patent_cases(
    patents: Iterable[Patent],
    subject: AnyRequest,
    offer: AnyOffer,
    basket: set[int],
    on: date,
) -> list[PatentCase]:
    oldest = on - timedelta(days=REGISTER_EXTRACT_MAX_DAYS)
    cases = [
        PatentCase(
            patent=patent,
            expires_on=selectors.expires_on(patent),
            annuity=annuity_texts.describe(selectors.annuity_status(patent, on=on)),
            appraisal=selectors.latest_appraisal(patent, on=on),
            findings=findings.describe_all(_findings(patent, subject, offer, on)),
            co_owners=list(patent.co_owners.all()),
            is_in_basket=patent.pk in basket,
            is_insured=isinstance(offer, InsuranceOffer),
            is_extract_fresh=patent.register_extract_on is not None
            and patent.register_extract_on >= oldest,
        )
        for patent in patents
    ]
    return sorted(cases, key=lambda case: not case.is_in_basket)


def _findings(patent: Patent, subject: AnyRequest, offer: AnyOffer, on: date) -> Iterable[Finding]:
    """What stands against the pledge of this loan, or against this insurer's cover."""
    if isinstance(subject, LoanRequest):
        return selectors.registrability_of(
            patent,
            on=on,
            debt_ends_on=add_months(on, subject.term_months or 0),
            pledgee=offer.institution.name,
        )
    assert isinstance(offer, InsuranceOffer)
    return selectors.insurability_of(patent, on=on, conditions=insurance_conditions(offer))


def cost_lines(card: OfferCard) -> list[CostLine]:
    """Interest and each fee with its payer; what others pay is shown and not counted."""
    if card.cost is None:
        return []
    principal = card.cost.terms.principal
    lines = [
        CostLine(
            label=_("Interest"),
            when=_("over the whole term"),
            payer=str(FeePayer.BORROWER.label),
            amount=card.cost.cost.interest,
            posted=formats.percent(card.cost.interest_rate_percent),
        )
    ]
    for fee in card.fees:
        amount = fee.amount
        if amount is None and fee.percent is not None:
            amount = principal * fee.percent / 100
        if amount is not None and fee.timing == FeeTiming.YEARLY:
            amount *= ceil(card.cost.terms.term_months / 12)
        lines.append(
            CostLine(
                label=str(fee.get_kind_display()),
                when=str(fee.get_timing_display()),
                payer=str(fee.get_payer_display()),
                amount=amount,
                posted=fee_amount(fee),
                is_counted=fee.payer == FeePayer.BORROWER,
            )
        )
    offer = card.offer
    assert isinstance(offer, LoanOffer)  # only loans have such a cost
    if card.explanation.is_conditional and offer.appraisal_fee:
        lines.append(
            CostLine(
                label=_("Appraisal still to be made"),
                when=_("At drawdown"),
                payer=str(FeePayer.BORROWER.label),
                amount=offer.appraisal_fee,
                posted=formats.yuan(offer.appraisal_fee),
            )
        )
    return lines


def candidates(
    every: RequestExplanation, *, titles: dict[str, str], without: int | None = None
) -> list[Candidate]:
    """The other live offers for the request: those that fit, nearly fit, do not fit."""
    groups: Sequence[tuple[str, list[OfferExplanation]]] = (
        ("fits", every.fits),
        ("near", every.near_misses),
        ("refused", every.refused),
    )
    return [
        _candidate(each, group, titles)
        for group, explanations in groups
        for each in explanations
        if each.offer.pk != without
    ]


def _candidate(each: OfferExplanation, group: str, titles: dict[str, str]) -> Candidate:
    why, amount, saving = "", each.amount, each.saving
    if group == "near" and each.near_miss is not None:
        why = change_text(each.near_miss, labels=titles).sentence
        amount = Decimal(each.near_miss.amount_fen) / 100
        saving = Decimal(each.near_miss.saving_fen) / 100
    elif group == "refused":
        why = rule_title(each.refusals[0].code)
        amount = saving = None
    near = "near_miss" if each.has_room else "near_miss_no_room"
    outcome = outcome_text(near if group == "near" else each.outcome)
    return Candidate(
        offer=each.offer,
        outcome=outcome,
        amount=amount,
        saving=saving,
        why=why or str(outcome.sentence),
        group=group,
        match=each.match,
    )
