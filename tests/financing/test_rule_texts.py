"""Every refusal code has words, in figures that people read."""

import inspect
import re
from datetime import date

import pytest
from django.utils import translation

from businesses.rules import insurability, registrability
from financing import rule_texts
from financing.matching import eligibility, near_misses
from financing.matching.rule_results import RuleResult, at_least, at_most, nothing_to_test

CODES = sorted({rule.__name__ for rule in (*eligibility.LOAN_RULES, *eligibility.INSURANCE_RULES)})


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def test_every_rule_of_the_matcher_has_words():
    assert sorted(rule_texts.RULES) == CODES


@pytest.mark.parametrize("code", CODES)
def test_a_failed_rule_leaves_no_placeholder_and_says_what_would_change_it(code):
    line = rule_texts.describe(RuleResult(code, False, 200_000_00, 100_000_00, 100_000_00, "fen"))

    assert line.state == "missed"
    assert "%" not in line.sentence
    assert line.cure


def test_every_change_of_the_near_misses_has_words():
    source = inspect.getsource(near_misses)
    named = set(re.findall(r'_Change\(\s*"([a-z_]+)"', source)) | set(near_misses.GROUND_CURED)

    assert named == set(rule_texts.CHANGES)


def test_every_ground_of_the_rules_has_words():
    source = inspect.getsource(insurability)
    insurance = set(re.findall(r'Finding\("([a-z_]+)"', source))

    assert set(registrability.CODES) | insurance <= set(rule_texts.WORDS)


def test_amounts_lengths_and_rates_carry_their_unit():
    amount = rule_texts.describe(
        at_least("collateral_too_small", 50_000_000_00, 30_000_000_00, "fen")
    )
    assert (amount.required, amount.found) == (
        "at least " + "CNY\u00a050\u00a0million",
        "CNY\u00a030\u00a0million",
    )

    term = rule_texts.describe(at_most("term_out_of_range", 36, 40, "months"))
    assert "3 years at most" in term.sentence
    assert "40 months" in term.sentence

    rate = rule_texts.describe(at_most("above_borrowers_rate", 38_000, 41_234, "ppm"))
    assert (rate.required, rate.found, rate.gap) == ("at most 3.8%", "4.12%", "0.32%")


def test_a_term_too_short_and_one_too_long_are_told_apart():
    short = rule_texts.describe(at_least("term_out_of_range", 12, 6, "months"))
    assert "12 months or longer" in short.sentence


def test_days_and_states_of_a_closed_offer_are_told_apart():
    day = date(2026, 3, 1)
    early = RuleResult("not_open", False, day, date(2026, 1, 1), day, "day")
    late = RuleResult("not_open", False, day, date(2026, 4, 1), None, "day")
    paused = RuleResult("not_open", False, "published", "paused")

    assert rule_texts.describe(early).sentence == "The offer opens on 1 March 2026."
    assert rule_texts.describe(late).sentence == "The offer closed on 1 March 2026."
    assert "paused by the institution" in rule_texts.describe(paused).sentence


def test_regions_industries_and_grounds_are_named():
    region = RuleResult("region_not_served", False, ("320000",), "330100", unit="codes")
    line = rule_texts.describe(region, labels={"320000": "Jiangsu"})
    assert "Jiangsu" in line.sentence

    industry = RuleResult("industry_not_accepted", False, ("C39",), "A01", unit="codes")
    assert "C39 " in rule_texts.describe(industry).sentence

    ground = RuleResult(
        "not_registrable", False, (), ("annuity_unpaid",), ("annuity_unpaid",), "codes"
    )
    assert "An annuity is not recorded as paid" in rule_texts.describe(ground).sentence


def test_a_rule_with_nothing_to_test_is_neither_met_nor_missed():
    assert rule_texts.describe(nothing_to_test("appraisal_missing")).state == "not_tested"


def test_chinese_lists_use_chinese_separators():
    with translation.override("zh-hans"):
        assert rule_texts.listed(["a", "b"]) == "a、b"
