"""Each insurance condition alone, and premiums."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from businesses.rules.insurability import InsuranceConditions, InsuredPatent, check
from businesses.rules.premiums import Tariff, premium, reduction

AS_OF = date(2026, 1, 15)
USUAL = InsuranceConditions()
SOUND = InsuredPatent(
    kind="invention",
    granted_on=date(2018, 2, 2),
    expires_on=date(2029, 1, 15),
    owner_names=("甲公司",),
    policyholder_name="甲公司",
)


@pytest.mark.parametrize(
    ("change", "code", "cure"),
    [
        ({"owner_names": ("乙",), "consenting_names": ("乙",)},
         "policyholder_not_entitled", "record_ownership_or_licence"),
        ({"owner_names": ("甲公司", "乙")}, "co_owner_consent_missing", "get_co_owner_consent"),
        ({"granted_on": None}, "not_in_force", "wait_for_grant"),
        ({"ended_on": AS_OF}, "not_in_force", "choose_another_patent"),
        ({"is_invalidated": True}, "not_in_force", "choose_another_patent"),
        ({"is_annuity_unpaid": True}, "annuity_unpaid", "pay_annuity"),
        ({"expires_on": date(2029, 1, 14)}, "remaining_life_too_short", "choose_another_patent"),
        ({"is_ownership_disputed": True}, "ownership_dispute_pending", "wait_for_decision"),
        ({"is_infringement_disputed": True}, "infringement_dispute_pending", "wait_for_decision"),
    ],
)  # fmt: skip
def test_each_condition_alone(change: dict[str, object], code: str, cure: str) -> None:
    findings = check(replace(SOUND, **change), USUAL, as_of=AS_OF)  # type: ignore[arg-type]
    assert [(f.code, f.severity, f.cure) for f in findings] == [(code, "hard", cure)]


def test_conditions_are_offer_data() -> None:
    assert check(SOUND, USUAL, as_of=AS_OF) == ()
    licensee = replace(
        SOUND, owner_names=("乙",), licensee_names=("甲公司",), consenting_names=("乙",)
    )
    assert check(licensee, USUAL, as_of=AS_OF) == ()
    owners_only = InsuranceConditions(accepts_licensees=False)
    assert [f.code for f in check(licensee, owners_only, as_of=AS_OF)] == [
        "policyholder_not_entitled"
    ]
    disputed = replace(SOUND, is_infringement_disputed=True, expires_on=date(2026, 2, 20))
    lenient = InsuranceConditions(min_remaining_months=1, refuses_infringement_dispute=False)
    assert check(disputed, lenient, as_of=AS_OF) == ()
    no_inventions = InsuranceConditions(accepted_kinds=("design",))
    assert [f.code for f in check(SOUND, no_inventions, as_of=AS_OF)] == ["kind_not_insured"]


def test_premiums_of_the_foshan_trial() -> None:
    basic = Tariff(base=Decimal(2000), per_patent=Decimal(200))
    assert premium(basic, 1, Decimal(33_000)) == Decimal(2200)
    standard = Tariff(
        minimum=Decimal(1000), base=Decimal(100), rate_percent=Decimal("2.4"), per_patent=Decimal(0)
    )
    assert premium(standard, 3, Decimal(1000)) == Decimal(1000)
    assert premium(standard, 3, Decimal(100_000)) == Decimal(2500)
    assert reduction(standard, basic, 1, Decimal(100_000)) == Decimal(300)
    with pytest.raises(ValueError):
        premium(basic, -1, Decimal(1))
