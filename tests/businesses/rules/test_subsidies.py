"""Public subsidies: caps, groups, never above the cost."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from businesses.rules.cash_flows import cash_flows
from businesses.rules.loan_terms import Fee, LoanTerms
from businesses.rules.subsidies import Subsidy, apply_premium_subsidies, apply_subsidies

D = Decimal
TERMS = LoanTerms(
    D(12_000_000),
    12,
    D("4.00"),
    "interest_monthly",
    date(2025, 6, 30),
    fees=(Fee("appraisal", "borrower", "upfront", amount=D(8000)),),
)
FLOWS = cash_flows(TERMS)
RULE = Subsidy("interest-50", "interest", D(50), date(2025, 1, 1))


def total(*rules: Subsidy, **options: object) -> Decimal:
    return apply_subsidies(
        FLOWS, rules, interest_rate_percent=D(4), lpr_percent=D(3), **options
    ).total  # type: ignore[arg-type]


def test_share_of_interest_by_calendar_year_after_repayment() -> None:
    result = apply_subsidies(FLOWS, [RULE], interest_rate_percent=D(4), lpr_percent=D(3))
    assert [(g.year, g.amount) for g in result.grants] == [
        (2025, D(120_000)),
        (2026, D(120_000)),
    ]
    assert {g.pays_out_on for g in result.grants} == {date(2026, 6, 30)}
    assert result.cost_after == D(488_000) - D(240_000)


def test_share_of_lpr_and_never_more_than_the_interest() -> None:
    at_lpr = replace(RULE, base="lpr_interest", percent=D(40))
    assert total(at_lpr) == D(144_000)
    assert total(replace(RULE, percent=D(150))) == D(480_000)


def test_cap_by_business_and_year_counts_what_was_granted_before() -> None:
    capped = replace(RULE, cap_per_year=D(60_000))
    assert total(capped) == D(120_000)
    assert total(capped, already_granted={("interest-50", 2025): D(50_000)}) == D(70_000)
    assert total(capped, already_granted={("interest-50", 2025): D(90_000)}) == D(60_000)


def test_the_best_of_a_group_counts_and_groups_add_up() -> None:
    small = replace(RULE, code="a", percent=D(20), stacking_group="interest")
    large = replace(RULE, code="b", percent=D(30), stacking_group="interest")
    fee = replace(RULE, code="c", base="fees", percent=D(100))
    assert total(small, large) == D(144_000)
    assert total(replace(small, code="z"), large) == D(144_000)
    assert total(small, large, fee) == D(152_000)
    assert total(fee, replace(fee, code="d")) == D(8000)


def test_a_rule_holds_from_day_to_day() -> None:
    assert total(replace(RULE, valid_from=date(2025, 7, 1))) == 0
    assert total(replace(RULE, valid_until=date(2025, 6, 29))) == 0
    assert total(replace(RULE, valid_until=date(2025, 6, 30))) == D(240_000)


def test_premium_subsidy() -> None:
    rule = Subsidy(
        "premium-60", "premium", D(60), date(2025, 1, 1), pay_out="with_cost", pay_out_months=2
    )
    result = apply_premium_subsidies(D("860.00"), date(2025, 12, 31), [rule])
    assert (result.total, result.cost_after) == (D("516.00"), D("344.00"))
    assert result.grants[0].pays_out_on == date(2026, 2, 28)


rules = st.lists(
    st.builds(
        Subsidy,
        code=st.text("abcdef", min_size=1, max_size=3),
        base=st.sampled_from(["interest", "lpr_interest", "fees"]),
        percent=st.decimals(0, 200, places=1),
        valid_from=st.just(date(2025, 1, 1)),
        cap_per_year=st.none() | st.decimals(0, 500_000, places=0),
        stacking_group=st.sampled_from(["", "x", "y"]),
    ),
    max_size=5,
    unique_by=lambda rule: rule.code,
)


@settings(deadline=None)
@given(rules)
def test_never_above_the_cost_and_the_order_of_rules_does_not_matter(found: list[Subsidy]) -> None:
    result = apply_subsidies(FLOWS, found, interest_rate_percent=D(4), lpr_percent=D(3))
    assert 0 <= result.total <= D(488_000)
    assert result.cost_after == D(488_000) - result.total
    assert all(grant.amount >= 0 for grant in result.grants)
    again = apply_subsidies(FLOWS, found[::-1], interest_rate_percent=D(4), lpr_percent=D(3))
    assert again.total == result.total
