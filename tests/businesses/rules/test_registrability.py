"""Each ground of Announcement 461 alone, its cure, and baskets."""

from dataclasses import replace
from datetime import date

import pytest

from businesses.rules.findings import has_hard
from businesses.rules.registrability import (
    CODES,
    ContractFacts,
    LivePledge,
    PatentFacts,
    check,
    check_basket,
)

AS_OF = date(2026, 1, 15)
SOUND = PatentFacts(
    kind="invention",
    filed_on=date(2015, 5, 4),
    granted_on=date(2018, 2, 2),
    expires_on=date(2035, 5, 4),
    owner_names=("示范(北京)科技有限公司",),
    business_name="示范（北京） 科技有限公司",
)


def codes(facts: PatentFacts, **plan: object) -> list[tuple[str, str, str]]:
    findings = check(facts, as_of=AS_OF, **plan)  # type: ignore[arg-type]
    return [(finding.code, finding.severity, finding.cure) for finding in findings]


def test_a_sound_patent_has_no_finding_whatever_the_brackets_and_blanks() -> None:
    plan = {"debt_ends_on": date(2028, 1, 15), "drawdown_on": AS_OF, "pledgee": "bank"}
    assert codes(SOUND, **plan, contract=ContractFacts()) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"owner_names": ("别人公司",), "consenting_names": ("别人公司",)},
         ("owner_mismatch", "hard", "record_change_of_owner")),
        ({"ended_on": AS_OF}, ("ended_or_invalidated", "hard", "choose_another_patent")),
        ({"is_invalidated": True}, ("ended_or_invalidated", "hard", "choose_another_patent")),
        ({"expires_on": AS_OF}, ("ended_or_invalidated", "hard", "choose_another_patent")),
        ({"granted_on": None}, ("not_granted", "hard", "wait_for_grant")),
        ({"granted_on": date(2026, 1, 16)}, ("not_granted", "hard", "wait_for_grant")),
        ({"is_annuity_unpaid": True}, ("annuity_unpaid", "hard", "pay_annuity")),
        ({"is_ownership_disputed": True},
         ("ownership_dispute_or_preservation", "hard", "wait_for_decision")),
        ({"is_preserved": True},
         ("ownership_dispute_or_preservation", "hard", "wait_for_decision")),
        ({"owner_names": (*SOUND.owner_names, "共有人")},
         ("co_owner_consent_missing", "hard", "get_co_owner_consent")),
        ({"live_pledge": LivePledge("other bank")}, ("already_pledged", "hard", "release_pledge")),
        ({"is_invalidation_pending": True}, ("invalidation_pending", "soft", "acknowledge")),
        ({"kind": "utility_model", "has_same_day_invention_filing": True},
         ("same_day_invention_filing", "soft", "acknowledge")),
        ({"other_hindrance": "in liquidation"}, ("other", "hard", "ask_branch_office")),
    ],
)  # fmt: skip
def test_each_ground_alone(change: dict[str, object], expected: tuple[str, str, str]) -> None:
    assert codes(replace(SOUND, **change)) == [expected]  # type: ignore[arg-type]
    assert expected[0] in CODES


@pytest.mark.parametrize(
    "change",
    [
        {"ended_on": date(2026, 1, 16)},
        {"expires_on": date(2026, 1, 16)},
        {"granted_on": AS_OF},
        {"owner_names": (*SOUND.owner_names, "共有人"), "consenting_names": ("共 有人",)},
        {"has_same_day_invention_filing": True},
        {"other_hindrance": "  "},
    ],
)
def test_just_not_a_ground(change: dict[str, object]) -> None:
    assert codes(replace(SOUND, **change)) == []  # type: ignore[arg-type]


def test_debt_may_end_on_the_expiry_day_but_not_after() -> None:
    assert codes(SOUND, debt_ends_on=date(2035, 5, 4)) == []
    assert codes(SOUND, debt_ends_on=date(2035, 5, 5)) == [
        ("debt_outlives_patent", "hard", "shorten_term")
    ]


def test_already_pledged_is_soft_for_a_renewal_or_a_release_in_time() -> None:
    pledged = replace(SOUND, live_pledge=LivePledge("bank", releases_on=date(2026, 3, 1)))
    renewal = ("already_pledged", "soft", "renew_with_present_pledgee")
    release = ("already_pledged", "soft", "release_before_drawdown")
    hard = ("already_pledged", "hard", "release_pledge")
    assert codes(pledged, pledgee="bank") == [renewal]
    assert codes(pledged, pledgee="other", drawdown_on=date(2026, 3, 1)) == [release]
    assert codes(pledged, pledgee="other", drawdown_on=date(2026, 2, 28)) == [hard]
    assert codes(pledged) == [hard]


def test_contract_is_looked_at_only_when_given() -> None:
    missing = ContractFacts(("amount of the debt",))
    assert codes(SOUND, contract=missing) == [("contract_incomplete", "hard", "complete_contract")]


def test_findings_say_what_was_found() -> None:
    facts = replace(SOUND, owner_names=(*SOUND.owner_names, "甲", "乙"), consenting_names=("乙",))
    (finding,) = check(facts, as_of=AS_OF)
    assert dict(finding.detail) == {"missing": "甲"}
    assert has_hard([finding])
    assert not has_hard(check(replace(SOUND, is_invalidation_pending=True), as_of=AS_OF))


def test_basket_has_the_earliest_expiry_and_the_union_of_co_owners() -> None:
    first = replace(SOUND, owner_names=(*SOUND.owner_names, "甲"), consenting_names=("甲",))
    second = replace(
        SOUND,
        expires_on=date(2027, 1, 1),
        owner_names=(*SOUND.owner_names, "甲", "乙"),
        consenting_names=("甲", "乙"),
    )
    basket = check_basket([first, second], as_of=AS_OF, debt_ends_on=date(2028, 1, 1))
    assert basket.earliest_expiry_on == date(2027, 1, 1)
    assert basket.co_owner_names == ("甲", "乙")
    assert [[f.code for f in found] for found in basket.findings] == [[], ["debt_outlives_patent"]]
    with pytest.raises(ValueError):
        check_basket([], as_of=AS_OF)
