"""The terms a lender is about to offer on a match, and what holds for them; used by services.terms.

What one field can say alone is checked by the form; here is what must hold against the offer, the
request and the basket. The bounds of the request are known to the lender: terms come only after the
identity was opened.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from businesses.rules.patent_term import remaining_months
from businesses.selectors import expires_on
from financing.models.insurance_offers import InsuranceOffer
from financing.models.insurance_requests import InsuranceRequest
from financing.models.loan_offers import DayCount, LoanOffer, RepaymentMethod
from financing.models.loan_requests import LoanRequest
from financing.models.matches import Match
from financing.services.offer_terms import Fault, FeeTerms, fault, fee_faults, raise_faults
from sipo_portal.offices.working_days import is_working_day
from sipo_portal.ui import formats

# Capacity is booked until then: terms are no reservation for half a year.
MOST_VALID_DAYS = 90
# A slip of the keyboard, not a judgement: no loan of an institution costs this much.
MOST_RATE_PERCENT = Decimal(36)
MOST_COVER_MONTHS = 60
MOST_CONDITIONS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedTerms:
    """Amount (principal or sum insured) in yuan, lengths in months; the rest by kind of match."""

    amount: Decimal
    term_months: int
    valid_until: date
    conditions: str = ""
    interest_rate_percent: Decimal | None = None
    repayment_method: str = ""
    day_count: str = ""
    fees: tuple[FeeTerms, ...] = ()
    premium: Decimal | None = None
    excess_percent: Decimal | None = None

    @property
    def fee_rows(self) -> list[dict[str, Any]]:
        """The fees as `Terms.fees` stores them: figures as texts."""
        return [
            {"kind": fee.kind, "payer": fee.payer, "timing": fee.timing}
            | ({"amount": str(fee.amount)} if fee.amount is not None else {})
            | ({"percent": str(fee.percent)} if fee.percent is not None else {})
            for fee in self.fees
        ]


def validate_offered(match: Match, offered: OfferedTerms, *, on: date) -> None:
    """Raises ValidationError with every fault by field (rows of fees: ``<place>-<field>``)."""
    offer, request = match.offer, match.request
    if isinstance(offer, LoanOffer) and isinstance(request, LoanRequest):
        of_kind = _of_loan(offer, request, match, offered)
    else:
        assert isinstance(offer, InsuranceOffer)
        assert isinstance(request, InsuranceRequest)
        of_kind = _of_insurance(offer, request, offered)
    raise_faults([*of_kind, *_of_validity(offered.valid_until, on), *_of_conditions(offered)])


def amount_range(match: Match) -> tuple[Decimal, Decimal]:
    """Least and most yuan that may be offered: what the offer allows of what was asked for."""
    offer, request = match.offer, match.request
    if isinstance(offer, LoanOffer) and isinstance(request, LoanRequest):
        least = max(offer.min_principal, request.least_accepted or Decimal(0))
        return least, min(offer.max_principal, request.principal or offer.max_principal)
    assert isinstance(offer, InsuranceOffer)
    assert isinstance(request, InsuranceRequest)
    asked = request.sum_insured or offer.max_sum_insured
    return offer.min_sum_insured, min(offer.max_sum_insured, asked)


def _of_loan(
    offer: LoanOffer, request: LoanRequest, match: Match, offered: OfferedTerms
) -> Iterable[Fault]:
    yield from _of_amount(
        offered.amount,
        offer_range=(offer.min_principal, offer.max_principal),
        asked=request.principal,
        least_accepted=request.least_accepted,
    )
    rate = offered.interest_rate_percent
    if rate is None:
        yield fault("interest_rate_percent", _("Enter the interest rate, for example 3.45."))
    elif not 0 <= rate <= MOST_RATE_PERCENT:
        yield fault(
            "interest_rate_percent",
            _("Enter a rate from 0 to %(most)s per cent a year."),
            {"most": MOST_RATE_PERCENT},
        )
    if offered.repayment_method not in RepaymentMethod.values:
        yield fault("repayment_method", _("Choose how the loan is repaid."))
    if offered.day_count not in DayCount.values:
        yield fault("day_count", _("Choose how days are counted."))
    yield from _of_term(offer, match, offered)
    yield from fee_faults(offered.fees)
    for fee in offered.fees:
        if fee.amount is not None and not 0 <= fee.amount <= offered.amount:
            yield fault(f"{fee.place}-amount", _("A fee cannot be more than the principal."))
        if fee.percent is not None and not 0 <= fee.percent <= 100:
            yield fault(f"{fee.place}-percent", _("Enter 0 to 100 per cent."))


def _of_term(offer: LoanOffer, match: Match, offered: OfferedTerms) -> Iterable[Fault]:
    months = offered.term_months
    if not offer.min_term_months <= months <= offer.max_term_months:
        yield fault(
            "term_months",
            _("Your offer is for %(least)d to %(most)d months."),
            {"least": offer.min_term_months, "most": offer.max_term_months},
        )
        return
    ends_on = min((expires_on(patent) for patent in match.patents.all()), default=None)
    # `debt_outlives_patent` (DOMAIN 4.4): the register would refuse the pledge.
    if ends_on is not None and remaining_months(ends_on, offered.valid_until) < months:
        yield fault(
            "term_months",
            _(
                "The loan would end after the first of the patents does, on %(day)s: such a pledge "
                "is not registered."
            ),
            {"day": formats.day(ends_on)},
        )


def _of_insurance(
    offer: InsuranceOffer, request: InsuranceRequest, offered: OfferedTerms
) -> Iterable[Fault]:
    yield from _of_amount(
        offered.amount,
        offer_range=(offer.min_sum_insured, offer.max_sum_insured),
        asked=request.sum_insured,
    )
    if offered.premium is None or offered.premium <= 0:
        yield fault("premium", _("Enter the premium in yuan, above 0."))
    elif offered.premium > offered.amount:
        yield fault("premium", _("A premium above the sum insured is no insurance."))
    if offered.excess_percent is None or not 0 <= offered.excess_percent < 100:
        yield fault("excess_percent", _("Enter the excess, from 0 to below 100 per cent."))
    if not 1 <= offered.term_months <= MOST_COVER_MONTHS:
        yield fault(
            "term_months", _("Enter 1 to %(most)d months of cover."), {"most": MOST_COVER_MONTHS}
        )


def _of_amount(
    amount: Decimal,
    *,
    offer_range: tuple[Decimal, Decimal],
    asked: Decimal | None,
    least_accepted: Decimal | None = None,
) -> Iterable[Fault]:
    least, most = offer_range
    if amount <= 0 or amount != amount.quantize(Decimal("0.01")):
        yield fault("amount", _("Enter an amount above 0, to the fen."))
    elif asked is not None and amount > asked:
        yield fault(
            "amount",
            _("The business asked for %(asked)s: offer that or less."),
            {"asked": formats.yuan(asked)},
        )
    elif least_accepted is not None and amount < least_accepted:
        yield fault(
            "amount",
            _("The business takes %(least)s or more: with less it cannot go ahead."),
            {"least": formats.yuan(least_accepted)},
        )
    elif not least <= amount <= most:
        yield fault(
            "amount",
            _("Your offer is for %(least)s to %(most)s."),
            {"least": formats.yuan(least), "most": formats.yuan(most)},
        )


def _of_validity(valid_until: date, on: date) -> Iterable[Fault]:
    if valid_until <= on:
        yield fault("valid_until", _("Enter a day after today: the business needs time to answer."))
    elif valid_until > on + timedelta(days=MOST_VALID_DAYS):
        yield fault(
            "valid_until",
            _("Enter %(day)s or an earlier day: your capacity is booked as long as terms stand."),
            {"day": formats.day(on + timedelta(days=MOST_VALID_DAYS))},
        )
    elif not is_working_day(valid_until):
        yield fault(
            "valid_until",
            _("%(day)s is no working day. Enter a working day."),
            {"day": formats.day(valid_until)},
        )


def _of_conditions(offered: OfferedTerms) -> Iterable[Fault]:
    if len(offered.conditions) > MOST_CONDITIONS:
        yield fault(
            "conditions", _("Shorten this to %(most)d characters."), {"most": MOST_CONDITIONS}
        )
