"""The dated cash flows of a loan (DOMAIN 4.7) and their value at a rate; read by true_cost.

Every flow is rounded to the fen, half up; the last instalment absorbs what rounding left.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import lru_cache
from itertools import pairwise

from businesses.rules.loan_terms import DayCount, LoanTerms, fee_months
from businesses.rules.patent_term import add_months

FEN = Decimal("0.01")
_ZERO = Decimal(0)
# Digits for discounting: enough that a sum over 360 flows of 10**12 yuan is exact far below a fen.
PRECISION = 40


class NoRate(ValueError):
    """The flows have no yearly rate: nothing is received, or nothing is paid back."""

    code = "no_rate"


@dataclass(frozen=True, slots=True)
class CashFlow:
    """What moves on one day, in yuan, all parts >= 0; `net` is the borrower's side (+ received)."""

    on: date
    drawdown: Decimal = _ZERO
    principal: Decimal = _ZERO
    interest: Decimal = _ZERO
    fees: Decimal = _ZERO

    @property
    def net(self) -> Decimal:
        return self.drawdown - self.principal - self.interest - self.fees


def to_fen(amount: Decimal) -> Decimal:
    """The amount in yuan rounded to the fen, half up."""
    return amount.quantize(FEN, ROUND_HALF_UP)


def payment_dates(terms: LoanTerms) -> tuple[date, ...]:
    """Drawdown and the same day of each month after it, at most the month's last day."""
    return _dates(terms.drawdown_on, terms.term_months)


@lru_cache(maxsize=4_096)
def _dates(drawdown_on: date, term_months: int) -> tuple[date, ...]:
    return tuple(add_months(drawdown_on, k) for k in range(term_months + 1))


def year_fraction(start: date, end: date, months: int, day_count: DayCount) -> Decimal:
    """Share of a year between two payment dates `months` apart, by the loan's day count."""
    if day_count == "30/360":
        return Decimal(months) / 12
    return Decimal((end - start).days) / (360 if day_count == "act/360" else 365)


def period_rates(terms: LoanTerms) -> tuple[Decimal, ...]:
    """Interest per yuan outstanding, for each month of the loan."""
    days = payment_dates(terms)
    rate = terms.interest_rate_percent / 100
    return tuple(
        rate * year_fraction(start, end, 1, terms.day_count) for start, end in pairwise(days)
    )


def level_instalment(rates: Sequence[Decimal]) -> Decimal:
    """Instalment per yuan of principal that repays it in len(rates) equal parts."""
    factor, total = Decimal(1), _ZERO
    for rate in rates:
        factor /= 1 + rate
        total += factor
    return 1 / total


def cash_flows(terms: LoanTerms) -> tuple[CashFlow, ...]:
    """One flow per day on which anything moves, drawdown first, in order of date.

    Fees of other payers than the borrower are left out.
    """
    with localcontext() as context:
        context.prec = PRECISION
        principal, interest = _instalments(terms)
        fees = [_ZERO] * (terms.term_months + 1)
        for fee in terms.borrower_fees:
            share = (fee.percent or _ZERO) / 100 * terms.principal
            amount = to_fen(fee.amount if fee.amount is not None else share)
            for month in fee_months(fee, terms.term_months):
                fees[month] += amount
        days = payment_dates(terms)
        flows = [CashFlow(days[0], to_fen(terms.principal), fees=fees[0])]
        flows += [
            CashFlow(days[k], principal=principal[k], interest=interest[k], fees=fees[k])
            for k in range(1, terms.term_months + 1)
            if principal[k] or interest[k] or fees[k]
        ]
    return tuple(flows)


def _instalments(terms: LoanTerms) -> tuple[list[Decimal], list[Decimal]]:
    """Principal and interest by month (index 0 is drawdown: nothing is paid)."""
    months = terms.term_months
    owed = to_fen(terms.principal)
    principal, interest = [_ZERO] * (months + 1), [_ZERO] * (months + 1)
    if terms.repayment_method == "all_at_end":
        end = add_months(terms.drawdown_on, months)
        share = year_fraction(terms.drawdown_on, end, months, terms.day_count)
        principal[months] = owed
        interest[months] = to_fen(owed * terms.interest_rate_percent / 100 * share)
        return principal, interest
    rates = period_rates(terms)
    level = to_fen(owed * level_instalment(rates))
    part = to_fen(owed / months)
    for k, rate in enumerate(rates, start=1):
        interest[k] = to_fen(owed * rate)
        if k == months:
            principal[k] = owed
        elif terms.repayment_method == "equal_instalments":
            principal[k] = min(owed, max(_ZERO, level - interest[k]))
        elif terms.repayment_method == "equal_principal":
            principal[k] = min(owed, part)
        owed -= principal[k]
    return principal, interest


def net_present_value(flows: Sequence[CashFlow], annual_rate: Decimal) -> Decimal:
    """Value on the first flow's day of the borrower's net flows, in yuan, not rounded.

    `annual_rate` is effective and a fraction (0.0345), exponents are days / 365. Negative means
    that the loan costs more than this rate.
    """
    with localcontext() as context:
        context.prec = PRECISION
        growth = 1 + annual_rate
        if growth <= 0:
            raise ValueError("the yearly rate must be above -100 %")
        start = flows[0].on
        log = growth.ln()
        return sum(
            (flow.net * (-log * (flow.on - start).days / 365).exp() for flow in flows), _ZERO
        )


def effective_rate(flows: Sequence[CashFlow]) -> Decimal:
    """The yearly rate (a fraction) at which the borrower's net flows are worth nothing.

    Effective, Act/365 exponents (XIRR), to about 30 digits. For flows that start with money
    received and go on with money paid the rate exists once; NoRate otherwise.
    """
    nets = [(flow.net, (flow.on - flows[0].on).days) for flow in flows]
    received = sum(net for net, days in nets if days == 0)
    paid = [(net, days) for net, days in nets if days and net]
    if received <= 0 or not paid or any(net > 0 for net, _ in paid):
        raise NoRate("a yearly rate needs money received first and only payments after it")
    guess = _bracketed_rate(float(received), [(float(-net), days / 365) for net, days in paid])
    return _polished_rate(Decimal(repr(guess)), Decimal(received), paid)


def _bracketed_rate(received: float, payments: Sequence[tuple[float, float]]) -> float:
    """Bisection on the log growth: payments discounted fall as the rate rises."""

    def surplus(log_growth: float) -> float:
        worth = sum(amount * math.exp(-log_growth * t) for amount, t in payments)
        return worth - received

    low, high = -1.0, 1.0
    while surplus(low) < 0 and low > -16:  # exp() of 30 years stays in range
        low *= 2
    while surplus(high) > 0 and high < 5e5:
        high *= 2
    if surplus(low) < 0 or surplus(high) > 0:
        raise NoRate("no yearly rate within reach")
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if surplus(middle) > 0:
            low = middle
        else:
            high = middle
    try:
        return math.expm1((low + high) / 2)
    except OverflowError:
        raise NoRate("no yearly rate within reach") from None


def _polished_rate(
    guess: Decimal, received: Decimal, paid: Sequence[tuple[Decimal, int]]
) -> Decimal:
    """Newton's steps on the log growth in high precision; the float is right to 10 digits."""
    with localcontext() as context:
        context.prec = PRECISION
        log = (1 + guess).ln()
        for _ in range(3):
            value, slope = received, _ZERO
            for net, days in paid:
                worth = net * (-log * days / 365).exp()
                value += worth
                slope -= worth * days / 365
            log -= value / slope
        return log.exp() - 1
