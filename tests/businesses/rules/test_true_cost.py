"""Cash flows, APR against pyxirr, ceiling by sign, saving and its integer form."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
import pyxirr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from businesses.rules.loan_terms import Fee, LoanTerms
from businesses.rules.true_cost import (
    NoRate,
    benchmark_terms,
    cash_flows,
    is_above_ceiling,
    net_present_value,
    saving,
    saving_ppm,
    true_cost,
)

D = Decimal
BASE = LoanTerms(D(1_000_000), 12, D("3.6"), "interest_monthly", date(2025, 1, 31))

fees = st.lists(
    st.builds(
        Fee,
        kind=st.just("handling"),
        payer=st.sampled_from(["borrower", "borrower", "lender", "public"]),
        timing=st.sampled_from(["upfront", "yearly", "at_end"]),
        amount=st.none(),
        percent=st.decimals(0, 2, places=3),
    )
    | st.builds(
        Fee,
        kind=st.just("appraisal"),
        payer=st.just("borrower"),
        timing=st.sampled_from(["upfront", "yearly", "at_end"]),
        amount=st.decimals(0, 1000, places=2),
        percent=st.none(),
    ),
    max_size=3,
).map(tuple)
loans = st.builds(
    LoanTerms,
    principal=st.integers(100_000, 50_000_000).map(D),
    term_months=st.integers(1, 120),
    interest_rate_percent=st.decimals(0, 24, places=3),
    repayment_method=st.sampled_from(
        ["equal_instalments", "equal_principal", "interest_monthly", "all_at_end"]
    ),
    drawdown_on=st.dates(date(2015, 1, 1), date(2030, 12, 31)),
    day_count=st.sampled_from(["30/360", "act/360", "act/365"]),
    fees=fees,
)


@settings(max_examples=300, deadline=None)
@given(loans)
def test_flows_repay_the_principal_to_the_fen_and_apr_agrees_with_pyxirr(terms: LoanTerms) -> None:
    cost = true_cost(terms)
    flows = cost.flows
    assert sum(flow.principal for flow in flows) == terms.principal == flows[0].drawdown
    assert all(
        part >= 0 and part == part.quantize(D("0.01"))
        for flow in flows
        for part in (flow.drawdown, flow.principal, flow.interest, flow.fees)
    )
    assert [flow.on for flow in flows] == sorted({flow.on for flow in flows})
    assert cost.total_cost == cost.interest + cost.fees == -sum(flow.net for flow in flows)
    oracle = pyxirr.xirr([flow.on for flow in flows], [float(flow.net) for flow in flows])
    assert float(cost.apr_percent) / 100 == pytest.approx(oracle, abs=1e-9)
    assert abs(net_present_value(flows, cost.apr_percent / 100)) < D("0.001")


@pytest.mark.parametrize(
    ("method", "day_count", "interest"),
    [
        ("interest_monthly", "30/360", "36000.00"),
        ("interest_monthly", "act/360", "36500.00"),
        ("interest_monthly", "act/365", "36000.00"),
        ("all_at_end", "30/360", "36000.00"),
        ("all_at_end", "act/360", "36500.00"),
        ("equal_principal", "30/360", "19500.00"),
        ("equal_instalments", "30/360", "19607.10"),
    ],
)
def test_interest_by_method_and_day_count(method: str, day_count: str, interest: str) -> None:
    terms = replace(BASE, repayment_method=method, day_count=day_count)  # type: ignore[arg-type]
    assert true_cost(terms).interest == pytest.approx(D(interest), abs=D("0.06"))


def test_flows_of_a_small_loan_in_full() -> None:
    terms = LoanTerms(
        D(1000),
        3,
        D(12),
        "equal_instalments",
        date(2024, 1, 31),
        fees=(Fee("handling", "borrower", "upfront", amount=D("5.005")),),
    )
    assert [(f.on, f.principal, f.interest, f.fees) for f in cash_flows(terms)] == [
        (date(2024, 1, 31), D(0), D(0), D("5.01")),
        (date(2024, 2, 29), D("330.02"), D("10.00"), D(0)),
        (date(2024, 3, 31), D("333.32"), D("6.70"), D(0)),
        (date(2024, 4, 30), D("336.66"), D("3.37"), D(0)),
    ]


def test_a_loan_at_lpr_paid_monthly_has_an_apr_above_lpr() -> None:
    assert D("3.65") < true_cost(BASE).apr_percent < D("3.67")
    at_end = replace(BASE, repayment_method="all_at_end", day_count="act/365")
    assert true_cost(at_end).apr_percent == D("3.6")


def test_fees_count_by_payer_and_timing() -> None:
    def cost(*fees: Fee, months: int = 24) -> Decimal:
        return true_cost(replace(BASE, term_months=months, fees=fees)).fees

    assert cost(Fee("g", "borrower", "upfront", percent=D(2))) == 20_000
    assert cost(Fee("g", "borrower", "yearly", percent=D(2))) == 40_000
    assert cost(Fee("g", "borrower", "yearly", percent=D(2)), months=25) == 60_000
    assert cost(Fee("g", "borrower", "at_end", amount=D(7))) == 7
    assert cost(Fee("g", "lender", "upfront", percent=D(2))) == 0
    assert cost(Fee("g", "public", "upfront", percent=D(2))) == 0
    early = true_cost(replace(BASE, fees=(Fee("g", "borrower", "upfront", amount=D(9)),)))
    late = true_cost(replace(BASE, fees=(Fee("g", "borrower", "at_end", amount=D(9)),)))
    assert early.total_cost == late.total_cost
    assert early.apr_percent > late.apr_percent


def test_ceiling_at_above_and_below() -> None:
    assert not is_above_ceiling(BASE, D("3.6"))
    assert is_above_ceiling(BASE, D("3.599"))
    assert not is_above_ceiling(BASE, D("3.601"))
    one_fen = replace(BASE, fees=(Fee("g", "borrower", "at_end", amount=D("0.01")),))
    assert is_above_ceiling(one_fen, D("3.6"))
    free_for_me = replace(BASE, fees=(Fee("g", "lender", "upfront", percent=D(5)),))
    assert not is_above_ceiling(free_for_me, D("3.6"))


def test_a_loan_whose_fees_eat_it_has_no_rate_but_is_above_the_ceiling() -> None:
    absurd = replace(BASE, fees=(Fee("g", "borrower", "upfront", percent=D(100)),))
    with pytest.raises(NoRate):
        true_cost(absurd)
    assert is_above_ceiling(absurd, D(5))


@settings(deadline=None)
@given(loans, st.decimals(0, 24, places=2))
def test_ceiling_by_sign_agrees_with_the_rates_where_they_differ(
    terms: LoanTerms, ceiling: Decimal
) -> None:
    own = true_cost(terms).apr_percent
    limit = true_cost(benchmark_terms(terms, ceiling, D(0))).apr_percent
    assume(abs(own - limit) > D("1e-9"))
    assert is_above_ceiling(terms, ceiling) == (own > limit)


@settings(deadline=None)
@given(loans)
def test_the_benchmark_itself_is_never_above_its_ceiling(terms: LoanTerms) -> None:
    benchmark = benchmark_terms(terms, D("3.00"), D("0.48"))
    assert benchmark.fees == ()
    assert not is_above_ceiling(benchmark, D("3.48"))
    assert saving(benchmark, D("3.00"), D("0.48")) == 0


def test_saving_in_yuan() -> None:
    terms = replace(BASE, fees=(Fee("appraisal", "borrower", "upfront", amount=D(1000)),))
    assert saving(terms, D("3.00"), D("0.90")) == D(2000)
    assert saving(terms, D("3.00"), D("0.60")) == D(-1000)
    rate = saving_ppm(terms, D("3.00"), D("0.90"))
    assert (rate.ppm, rate.fixed_fees_fen) == (3000, 100_000)
    dearer = saving_ppm(replace(BASE, interest_rate_percent=D("3.60001")), D(3), D("0.6"))
    assert dearer.ppm == -1


@settings(max_examples=300, deadline=None)
@given(loans)
def test_integer_saving_is_bounded_by_the_exact_one(terms: LoanTerms) -> None:
    rate = saving_ppm(terms, D("3.00"), D("0.48"))
    amount_fen = int(terms.principal * 100)
    quick = amount_fen * rate.ppm // 10**6 - rate.fixed_fees_fen
    exact = int(saving(terms, D("3.00"), D("0.48")) * 100)
    # A fen for each flow of both loans and each payment of a fee; one millionth for ppm.
    flows = 2 * (terms.term_months + 1) + sum(
        1 + terms.term_months // 12 for _ in terms.borrower_fees
    )
    assert -flows <= exact - quick <= flows + amount_fen // 10**6 + 2
    assert saving_ppm(replace(terms, principal=D(1)), D("3.00"), D("0.48")) == rate


@pytest.mark.parametrize(
    "change",
    [
        {"principal": D(0)},
        {"principal": D("NaN")},
        {"term_months": 0},
        {"interest_rate_percent": D(-1)},
        {"repayment_method": "whenever"},
        {"day_count": "act/act"},
    ],
)
def test_terms_that_are_none(change: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        replace(BASE, **change)  # type: ignore[arg-type]


def test_a_fee_is_an_amount_or_a_percentage() -> None:
    for amount, percent in ((None, None), (D(1), D(1)), (D(-1), None), (None, D("Infinity"))):
        with pytest.raises(ValueError):
            Fee("g", "borrower", "upfront", amount=amount, percent=percent)
