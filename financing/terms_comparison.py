"""Offered terms side by side with the posted ones, differences in words; owner's pages read it.

Same amount, same length, drawn down on the same day, before any public subsidy (DOMAIN 4.7).
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from businesses.rules.cash_flows import to_fen
from businesses.rules.loan_terms import LoanTerms, Payer, fee_months
from businesses.rules.reference_rates import lpr_percent
from businesses.rules.true_cost import TrueCost, benchmark_terms, true_cost
from financing.match_rows import with_criteria
from financing.match_runs import current_policy
from financing.models.loan_offers import DayCount, FeePayer, LoanOffer, RepaymentMethod
from financing.models.matches import Match
from financing.models.terms import Terms
from financing.premiums import standard_premium
from financing.rule_texts import months
from financing.terms_costs import LoanComparison, PremiumComparison, compare_with_posted
from sipo_portal.ui import formats
from sipo_portal.ui.charts import Chart, CostBar, cost_bars

# Rates are shown with two digits; what is less is no difference.
SAME_POINTS = Decimal("0.005")
PAYERS: tuple[Payer, ...] = ("lender", "public", "guarantor", "insurer")


@dataclass(frozen=True)
class ComparedRow:
    """One line: both figures as texts, the difference in words; `tone`: good, attention or "".

    `is_cost`: says what the terms cost in all; the page that asks for acceptance repeats these.
    """

    label: str
    posted: str
    offered: str
    difference: str
    tone: str = ""
    is_cost: bool = False


@dataclass(frozen=True)
class TermsComparison:
    """`verdict`: the whole in one sentence; `chart` only for loans with a yearly cost."""

    rows: list[ComparedRow]
    verdict: str
    is_dearer: bool
    chart: Chart | None = None


def compare_terms(match: Match, terms: Terms, *, on: date) -> TermsComparison:
    """Posted beside offered for a loan or an insurance, as of the day `on`."""
    if match.loan_offer_id is not None:
        match.loan_offer = with_criteria(LoanOffer.objects.filter(pk=match.loan_offer_id)).get()
    compared = compare_with_posted(match, terms, on=on)
    if isinstance(compared, PremiumComparison):
        return _of_insurance(match, terms, compared, on)
    return _of_loan(match, compared, on)


def _of_loan(match: Match, compared: LoanComparison, on: date) -> TermsComparison:
    posted, offered = compared.posted_terms, compared.offered_terms
    rows = [_rates(_("Interest rate"), posted.interest_rate_percent, offered.interest_rate_percent)]
    chart = None
    verdict = _("The fees eat up the amount: no yearly cost can be given.")
    if compared.posted is not None and compared.offered is not None:
        benchmarks = _benchmarks(compared, on)
        rows += _cost_rows(compared.posted, compared.offered, *benchmarks)
        chart = _chart(match, compared.posted, compared.offered, benchmarks[1])
        verdict = _verdict(compared.posted.apr_percent, compared.offered.apr_percent)
    rows += _fee_rows(posted, offered)
    rows += [
        _words(
            _("Repayment"),
            _label(RepaymentMethod, posted.repayment_method),
            _label(RepaymentMethod, offered.repayment_method),
        ),
        _words(
            _("Interest days"),
            _label(DayCount, posted.day_count),
            _label(DayCount, offered.day_count),
        ),
    ]
    return TermsComparison(rows, verdict, compared.is_dearer, chart)


def _benchmarks(compared: LoanComparison, on: date) -> tuple[TrueCost, TrueCost]:
    """What the same flows cost at the policy's reference rate: like with like."""
    spread = current_policy(on).reference_spread_percent
    lpr = lpr_percent(on, compared.offered_terms.term_months)
    return (
        true_cost(benchmark_terms(compared.posted_terms, lpr, spread)),
        true_cost(benchmark_terms(compared.offered_terms, lpr, spread)),
    )


def _cost_rows(
    posted: TrueCost, offered: TrueCost, posted_benchmark: TrueCost, benchmark: TrueCost
) -> list[ComparedRow]:
    return [
        replace(
            _rates(_("Yearly cost with fees (APR)"), posted.apr_percent, offered.apr_percent),
            is_cost=True,
        ),
        _amounts(_("Interest"), posted.interest, offered.interest),
        _amounts(_("Fees you pay"), posted.fees, offered.fees),
        replace(_amounts(_("Costs in all"), posted.total_cost, offered.total_cost), is_cost=True),
        ComparedRow(
            _("Benchmark (APR)"),
            formats.rate(posted_benchmark.apr_percent),
            formats.rate(benchmark.apr_percent),
            _("the same payments at the reference rate"),
        ),
        _savings(
            _("Saved against the benchmark"),
            posted_benchmark.total_cost - posted.total_cost,
            benchmark.total_cost - offered.total_cost,
        ),
    ]


def _fee_rows(posted: LoanTerms, offered: LoanTerms) -> list[ComparedRow]:
    """Fees that others pay for the business, one line for each payer."""
    before, now = fees_by_payer(posted), fees_by_payer(offered)
    return [
        _words(
            _("Fees paid by: %(payer)s") % {"payer": _label(FeePayer, payer)},
            formats.yuan(before.get(payer, Decimal(0))),
            formats.yuan(now.get(payer, Decimal(0))),
        )
        for payer in PAYERS
        if payer in before or payer in now
    ]


def fees_by_payer(terms: LoanTerms) -> dict[Payer, Decimal]:
    """Yuan of all fees over the whole loan, by who pays them; nobody with nothing to pay."""
    sums: dict[Payer, Decimal] = {}
    for fee in terms.fees:
        amount = fee.amount
        if amount is None:
            amount = terms.principal * (fee.percent or Decimal(0)) / 100
        total = to_fen(amount) * len(fee_months(fee, terms.term_months))
        if total:
            sums[fee.payer] = sums.get(fee.payer, Decimal(0)) + total
    return sums


def _of_insurance(
    match: Match, terms: Terms, compared: PremiumComparison, on: date
) -> TermsComparison:
    offer = match.insurance_offer
    assert offer is not None
    rows = [
        _amounts(_("Premium"), compared.posted_premium, compared.offered_premium),
        _rates(_("Excess"), compared.posted_excess_percent, compared.offered_excess_percent),
        _words(_("Period of cover"), months(offer.period_months), months(terms.term_months)),
    ]
    # By the policy's table, not by what the insurer says of itself (DOMAIN 4.5).
    standard = standard_premium(
        current_policy(on), offer.cover_kind, match.patents.count(), terms.amount
    )
    if standard is not None:
        rows += [
            ComparedRow(
                _("Standard premium"),
                formats.yuan(standard),
                formats.yuan(standard),
                _("by the table of the policy"),
            ),
            _savings(
                _("Saved against the standard premium"),
                standard - compared.posted_premium,
                standard - compared.offered_premium,
            ),
        ]
    difference = compared.offered_premium - compared.posted_premium
    figure = {"figure": formats.yuan(abs(difference))}
    verdict = (
        _("The premium is dearer than posted by %(figure)s.") % figure
        if difference > 0
        else _("The premium is cheaper than posted by %(figure)s.") % figure
        if difference < 0
        else _("The premium is as posted.")
    )
    return TermsComparison(rows, verdict, compared.is_dearer)


def _verdict(posted_percent: Decimal, offered_percent: Decimal) -> str:
    points = offered_percent - posted_percent
    figure = {"points": formats.shortest(abs(points), 2)}
    if points >= SAME_POINTS:
        return _("Dearer than posted by %(points)s percentage points a year.") % figure
    if points <= -SAME_POINTS:
        return _("Cheaper than posted by %(points)s percentage points a year.") % figure
    return _("The yearly cost is as posted.")


def _rates(label: str, posted: Decimal, offered: Decimal) -> ComparedRow:
    points = offered - posted
    figure = {"points": formats.shortest(abs(points), 2)}
    texts = (label, formats.rate(posted), formats.rate(offered))
    if points >= SAME_POINTS:
        words = _("dearer than posted by %(points)s percentage points") % figure
        return ComparedRow(*texts, words, "attention")
    if points <= -SAME_POINTS:
        words = _("cheaper than posted by %(points)s percentage points") % figure
        return ComparedRow(*texts, words, "good")
    return ComparedRow(*texts, _("as posted"))


def _amounts(label: str, posted: Decimal, offered: Decimal) -> ComparedRow:
    figure = {"figure": formats.yuan(abs(offered - posted))}
    texts = (label, formats.yuan(posted), formats.yuan(offered))
    if offered > posted:
        words = _("dearer than posted by %(figure)s") % figure
        return ComparedRow(*texts, words, "attention")
    if offered < posted:
        return ComparedRow(*texts, _("cheaper than posted by %(figure)s") % figure, "good")
    return ComparedRow(*texts, _("as posted"))


def _savings(label: str, posted: Decimal, offered: Decimal) -> ComparedRow:
    figure = {"figure": formats.yuan(abs(offered - posted))}
    texts = (label, formats.yuan(posted), formats.yuan(offered))
    if offered < posted:
        return ComparedRow(*texts, _("%(figure)s less than posted") % figure, "attention")
    if offered > posted:
        return ComparedRow(*texts, _("%(figure)s more than posted") % figure, "good")
    return ComparedRow(*texts, _("as posted"))


def _words(label: str, posted: str, offered: str) -> ComparedRow:
    words = _("as posted") if posted == offered else _("differs from posted")
    return ComparedRow(label, posted, offered, words)


def _chart(match: Match, posted: TrueCost, offered: TrueCost, benchmark: TrueCost) -> Chart:
    return cost_bars(
        [
            CostBar(label=_("Offered to you"), apr_percent=offered.apr_percent),
            CostBar(label=pgettext("terms", "Posted"), apr_percent=posted.apr_percent),
            CostBar(label=_("Benchmark"), apr_percent=benchmark.apr_percent, is_benchmark=True),
        ]
    )


def _label(choices: type, code: str) -> str:
    labels = {str(value): str(label) for value, label in choices.choices}  # type: ignore[attr-defined]
    return labels.get(code, code)
