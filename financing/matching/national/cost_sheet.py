"""What every loan offer saves and from which amount on it is cheap enough, per term; for packing.

Saving: ppm and fixed fees, exact, by `savings.CostBook`. Cheap enough (rules above_rate_ceiling
and above_borrowers_rate): flows are linear in the amount up to their rounding to the fen, so below
`fails_to` a loan is surely too dear, from `passes_from` on surely not; between the two the readable
rule is asked (`undecided.py`). Offers without a fixed fee cost the same share at any amount.
"""

import math
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from businesses.rules.patent_term import add_months
from financing.matching.columns import PPM
from financing.matching.policy import MatchingPolicy
from financing.matching.savings import REFERENCE_FEN, CostBook, percent
from financing.matching.tables import LoanOfferRow

NEVER = np.int64(2**62)
"""An amount no loan reaches: "passes from here" of an offer that never does."""

MOST_MONTHS = 600
"""Longest term of the columns."""

Int64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class CostSheet:
    """Arrays by [term, offer] and, where it matters, [.., is the appraisal still to be made].

    `saving_ppm`: -1 where offer and term do not go together. `passes_from`, `fails_to`: fen, by
    [limit, term, offer, conditional]; limit 0 is "the business names none".
    """

    saving_ppm: Int64
    fixed_fen: Int64
    passes_from: Int64
    fails_to: Int64


def cost_sheet(
    offers: tuple[LoanOfferRow, ...],
    terms: tuple[int, ...],
    limits_ppm: tuple[int, ...],
    policy: MatchingPolicy,
    book: CostBook,
) -> CostSheet:
    """The sheet of these offers for these terms and limits of the yearly cost."""
    shape = (len(terms), len(offers))
    ppm = np.full(shape, -1, dtype=np.int64)
    fixed = np.zeros((*shape, 2), dtype=np.int64)
    passes = np.full((len(limits_ppm) + 1, *shape, 2), NEVER, dtype=np.int64)
    fails = np.full_like(passes, NEVER)
    savings: dict[object, tuple[int, int]] = {}
    bounds: dict[object, list[tuple[int, int]]] = {}
    for place, term in enumerate(terms):
        for number, offer in enumerate(offers):
            if not offer.term_min_months <= term <= offer.term_max_months:
                continue
            fees = tuple(fee for fee in offer.fees if fee.payer == "borrower")
            for conditional in (False, True):
                extra = offer.appraisal_fee_fen if conditional else 0
                key = (*_flows_of(offer), fees, extra, term)
                if key not in savings:
                    full = book.saving_fen(offer, term, PPM, conditional=conditional)
                    without = book.saving_fen(offer, term, 0, conditional=conditional)
                    savings[key] = (full - without, -without)
                    bounds[key] = [
                        _amounts(offer, term, limit, policy, book, conditional=conditional)
                        for limit in (None, *limits_ppm)
                    ]
                rate, fees_fen = savings[key]
                ppm[place, number] = rate
                fixed[place, number, int(conditional)] = fees_fen
                for line, (fails_to, passes_from) in enumerate(bounds[key]):
                    fails[line, place, number, int(conditional)] = fails_to
                    passes[line, place, number, int(conditional)] = passes_from
    # Less than nothing saved: no amount passes `no_saving`.
    return CostSheet(np.maximum(ppm, -1), fixed, passes, fails)


def _flows_of(offer: LoanOfferRow) -> tuple[int, str, str]:
    return offer.interest_rate_ppm, offer.repayment_method, offer.day_count


def _amounts(
    offer: LoanOfferRow,
    term: int,
    limit_ppm: int | None,
    policy: MatchingPolicy,
    book: CostBook,
    *,
    conditional: bool,
) -> tuple[int, int]:
    """(too dear up to, cheap enough from) in fen, under the ceiling and the business's limit."""
    ceiling = _at_rate(
        offer, term, _ceiling_log(offer, term, policy, book), policy, conditional=conditional
    )
    found = [ceiling]
    if limit_ppm is not None:
        limit = math.log1p(limit_ppm / PPM)
        found.append(_at_rate(offer, term, limit, policy, conditional=conditional))
    if not _has_fixed_fee(offer, conditional=conditional):
        # One answer for all amounts; near the edge the readable rule gives it at once.
        passed = True
        for place, (fails_to, passes_from) in enumerate(found):
            if fails_to >= REFERENCE_FEN:
                passed = False
            elif passes_from > REFERENCE_FEN:
                terms = book.terms(offer, term, REFERENCE_FEN, conditional=conditional)
                if place == 0:
                    passed &= not book.is_above_ceiling(terms)
                else:
                    apr = book.apr(terms)
                    passed &= apr is not None and apr <= percent(limit_ppm or 0)
        return (-1, 0) if passed else (int(NEVER), int(NEVER))
    return max(one[0] for one in found), max(one[1] for one in found)


def _has_fixed_fee(offer: LoanOfferRow, *, conditional: bool) -> bool:
    by_fees = any(fee.fixed_fen and fee.payer == "borrower" for fee in offer.fees)
    return by_fees or (conditional and offer.appraisal_fee_fen > 0)


def _at_rate(
    offer: LoanOfferRow, term: int, log_growth: float, policy: MatchingPolicy, *, conditional: bool
) -> tuple[int, int]:
    """The sign of amount x share - fixed at this growth, with what rounding can do."""
    fixed_fen = 0.0
    share = _value_per_yuan(*_flows_of(offer), term, policy.as_of, log_growth)
    payments = term + 3
    for fee in offer.fees:
        if fee.payer != "borrower":
            continue
        months = {"upfront": (0,), "at_end": (term,)}.get(fee.timing, tuple(range(0, term, 12)))
        payments += len(months)
        worth = sum(_discount(policy.as_of, month, log_growth) for month in months)
        share -= fee.share_ppm / PPM * worth
        fixed_fen += fee.fixed_fen * worth
    if conditional:
        fixed_fen += offer.appraisal_fee_fen
    # Each flow is rounded to the fen, here and in the loan at the ceiling's rate; 1e-12 is far
    # above what is lost in the sums of floats.
    slack = 1.2 * payments
    if fixed_fen == 0.0:
        edge = share * REFERENCE_FEN
        return (-1, 0) if edge > slack else (int(NEVER) if edge < -slack else -1, int(NEVER))
    if share <= 2e-12:
        return (int(NEVER) if fixed_fen > slack + 1 else -1), int(NEVER)
    fails_to = int((fixed_fen - slack) / (share + 1e-12)) - 1
    return max(fails_to, -1), int((fixed_fen + slack) / (share - 1e-12)) + 1


def _discount(start: date, month: int, log_growth: float) -> float:
    return math.exp(-log_growth * float(_days(start, MOST_MONTHS)[month]) / 365)


@lru_cache(maxsize=65_536)
def _days(start: date, term: int) -> NDArray[np.float64]:
    return np.array([(add_months(start, k) - start).days for k in range(term + 1)], dtype=float)


@lru_cache(maxsize=65_536)
def _flows(
    rate_ppm: int, method: str, day_count: str, term: int, start: date
) -> NDArray[np.float64]:
    """Payments of one yuan lent, month by month, not rounded (businesses.rules.cash_flows)."""
    days, rate = _days(start, term), rate_ppm / PPM
    base = {"act/360": 360.0, "act/365": 365.0}.get(day_count)
    flows = np.zeros(term + 1)
    if method == "all_at_end":
        share = term / 12 if base is None else days[-1] / base
        flows[term] = 1 + rate * share
        return flows
    rates = np.full(term, rate / 12) if base is None else rate * np.diff(days) / base
    if method == "interest_monthly":
        flows[1:] = rates
        flows[term] += 1
    elif method == "equal_principal":
        flows[1:] = 1 / term + rates * (term - np.arange(term)) / term
    else:
        flows[1:] = 1 / np.cumprod(1 / (1 + rates)).sum()
    return flows


def _value_per_yuan(
    rate_ppm: int, method: str, day_count: str, term: int, start: date, log_growth: float
) -> float:
    flows = _flows(rate_ppm, method, day_count, term, start)
    return 1.0 - float(flows @ np.exp(-log_growth * _days(start, term) / 365))


def _ceiling_log(offer: LoanOfferRow, term: int, policy: MatchingPolicy, book: CostBook) -> float:
    return _own_log(
        book.ceiling_ppm(term), offer.repayment_method, offer.day_count, term, policy.as_of
    )


@lru_cache(maxsize=65_536)
def _own_log(rate_ppm: int, method: str, day_count: str, term: int, start: date) -> float:
    """Log of the effective yearly growth of these flows, by Newton's steps."""
    days, flows = _days(start, term) / 365, _flows(rate_ppm, method, day_count, term, start)
    log = math.log1p(rate_ppm / PPM)
    for _ in range(50):
        worth = flows * np.exp(-log * days)
        step = (float(worth.sum()) - 1.0) / float((worth * days).sum())
        log += step
        if abs(step) < 1e-16:
            break
    return log
