"""One offer for one request, ready to be shown: words, costs, picture; proposal views build it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.urls import reverse
from django.utils.translation import gettext as _

from businesses.rules.cash_flows import CashFlow
from businesses.rules.patent_term import add_months
from financing.costs import OfferCost, offer_cost
from financing.match_runs import OfferExplanation
from financing.models.insurance_requests import InsuranceRequest
from financing.models.loan_offers import LoanOffer, LoanOfferFee
from financing.models.loan_requests import LoanRequest
from financing.models.policies import MatchingPolicy
from financing.pair_kinds import AnyOffer, AnyRequest
from financing.premiums import PremiumExample
from financing.request_words import request_address, words_of
from financing.rule_texts import (
    ChangeText,
    OutcomeText,
    RuleLine,
    change_text,
    describe_all,
    outcome_text,
)
from sipo_portal.ui import formats
from sipo_portal.ui.charts import Chart, CostBar, cost_bars


@dataclass(frozen=True)
class Change:
    """What would make a refused offer fit, what it would then give, and where to do it."""

    text: ChangeText
    url: str
    gain: str


@dataclass(frozen=True)
class FlowYear:
    """One year of a loan, counted from drawdown; yuan."""

    label: str
    principal: Decimal
    interest: Decimal
    fees: Decimal

    @property
    def total(self) -> Decimal:
        return self.principal + self.interest + self.fees


@dataclass(frozen=True)
class OfferCard:
    """`group`: fits, near or refused. `cost` (of loans, with `chart`) and `premium` (of
    insurances) only where there is an amount."""

    explanation: OfferExplanation
    group: str
    outcome: OutcomeText
    lines: list[RuleLine]
    is_standing: bool
    is_provisional: bool
    cost: OfferCost | None = None
    premium: PremiumExample | None = None
    chart: Chart | None = None
    change: Change | None = None
    fees: list[LoanOfferFee] = field(default_factory=list)

    @property
    def offer(self) -> AnyOffer:
        return self.explanation.offer

    @property
    def missed(self) -> list[RuleLine]:
        return [line for line in self.lines if line.state == "missed"]

    @property
    def rules(self) -> list[dict[str, object]]:
        """Parameters of components/rule_list.html: what failed first, untested ones left out."""
        ordered = sorted(
            (line for line in self.lines if line.state != "not_tested"),
            key=lambda line: line.is_met,
        )
        return [
            {
                "title": line.sentence,
                "met": line.is_met,
                "required": line.required,
                "found": line.found,
                "cure": line.cure,
            }
            for line in ordered
        ]

    @property
    def met_count(self) -> int:
        return sum(line.is_met for line in self.lines)

    @property
    def notice_tone(self) -> str:
        """The outcome's tone as components/notice.html names tones."""
        return self.outcome.tone if self.outcome.tone in ("good", "attention") else "neutral"


def card_of(
    explanation: OfferExplanation,
    subject: AnyRequest,
    *,
    on: date,
    policy: MatchingPolicy,
    titles: Mapping[str, str],
) -> OfferCard:
    """`titles`: of the request's patents by id. Costs are those of a drawdown on `on`."""
    offer, miss = explanation.offer, explanation.near_miss
    labels = {region.code: region.label for region in offer.regions.all()}
    labels[subject.business.region_id] = subject.business.region.label
    is_standing = explanation.match is not None or explanation.proposal is not None
    group = "fits" if explanation.has_passed or is_standing else "near" if miss else "refused"
    outcome = explanation.outcome
    if group == "near":
        outcome = "near_miss" if explanation.has_room else "near_miss_no_room"
    cost = _loan_cost(explanation, subject, on, policy) if group == "fits" else None
    return OfferCard(
        explanation=explanation,
        group=group,
        outcome=outcome_text(outcome),
        lines=describe_all(explanation.results, labels=labels),
        is_standing=is_standing,
        is_provisional=explanation.proposal is not None and explanation.proposal.is_provisional,
        cost=cost,
        premium=_premium(explanation) if group == "fits" else None,
        chart=None if cost is None else _chart(offer, cost),
        change=None if miss is None else _change(explanation, subject, titles),
        fees=list(offer.fees.all()) if isinstance(offer, LoanOffer) else [],
    )


def _loan_cost(
    explanation: OfferExplanation, subject: AnyRequest, on: date, policy: MatchingPolicy
) -> OfferCost | None:
    """The exact cost of what the offer would lend; None for insurances."""
    offer = explanation.offer
    if not isinstance(subject, LoanRequest) or not isinstance(offer, LoanOffer):
        return None
    if not explanation.amount or not subject.term_months:
        return None
    return offer_cost(
        offer,
        explanation.amount,
        subject.term_months,
        on,
        policy,
        is_conditional=explanation.is_conditional,
    )


def _premium(explanation: OfferExplanation) -> PremiumExample | None:
    """The premium of the cover asked for beside the standard; None for loans."""
    if explanation.premium is None or explanation.amount is None:
        return None
    return PremiumExample(
        sum_insured=explanation.amount,
        patent_count=len(explanation.patent_ids),
        premium=explanation.premium,
        standard=explanation.standard_premium,
    )


def flow_years(flows: Iterable[CashFlow], drawdown_on: date) -> list[FlowYear]:
    """What is paid in each year after drawdown; fees at drawdown belong to the first."""
    sums: dict[int, list[Decimal]] = {}
    for flow in flows:
        year = 1
        while flow.on > add_months(drawdown_on, 12 * year):
            year += 1
        totals = sums.setdefault(year, [Decimal(0)] * 3)
        for place, part in enumerate((flow.principal, flow.interest, flow.fees)):
            totals[place] += part
    return [
        FlowYear(_("Year %(number)s") % {"number": year}, *totals)
        for year, totals in sorted(sums.items())
    ]


def _chart(offer: AnyOffer, cost: OfferCost) -> Chart:
    return cost_bars(
        [
            CostBar(label=offer.institution.label, apr_percent=cost.apr_percent),
            CostBar(
                label=_("Benchmark"), apr_percent=cost.benchmark_apr_percent, is_benchmark=True
            ),
        ]
    )


def _change(
    explanation: OfferExplanation, subject: AnyRequest, titles: Mapping[str, str]
) -> Change:
    miss = explanation.near_miss
    assert miss is not None
    text = change_text(miss, labels=titles)
    match text.place:
        case "patent" if miss.patent_ids:
            url = reverse("businesses:patent_detail", args=[miss.patent_ids[0]])
        case "certificates":
            url = reverse("businesses:certificates", args=[subject.business_id])
        case "request":
            url = request_address(subject, "change")
        case _:
            url = ""
    if not explanation.has_room:
        # The change alone would not help: nobody is sent to make it for this offer.
        return Change(text, "", str(outcome_text("near_miss_no_room").sentence))
    gain = str(words_of(subject).saves) % {
        "amount": formats.wan(Decimal(miss.amount_fen) / 100),
        "saving": formats.yuan(Decimal(miss.saving_fen) / 100)
        if isinstance(subject, InsuranceRequest)
        else formats.wan(Decimal(miss.saving_fen) / 100),
    }
    return Change(text, url, gain)


def fee_amount(fee: LoanOfferFee) -> str:
    """An amount, or a share of the principal."""
    if fee.amount is not None:
        return formats.yuan(fee.amount)
    return _("%(percent)s of the principal") % {"percent": formats.percent(fee.percent)}
