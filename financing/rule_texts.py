"""What every refusal code means in words; pages of owners, coordinators and lenders read it here.

`describe` turns a `RuleResult` of the matcher into a `RuleLine`; `outcome_text` speaks of an offer
as a whole. Figures are formatted in the reader's language, so call both while answering a request.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from businesses.rules import industries
from financing.matching.eligibility import INSURANCE_RULES, LOAN_RULES
from financing.matching.near_misses import NearMiss
from financing.matching.rule_results import Figure, RuleResult
from financing.matching.tables import RequestKind
from financing.rule_words import (
    CHANGE_PLACES,
    CHANGES,
    OUTCOMES,
    RULES,
    WORDS,
    ChangePlace,
    OutcomeText,
    RuleText,
    Text,
)
from sipo_portal.ui import formats

__all__ = [
    "CHANGES",
    "OUTCOMES",
    "RULES",
    "WORDS",
    "ChangeText",
    "OutcomeText",
    "RuleLine",
    "change_text",
    "citable_rules",
    "describe",
    "describe_all",
    "figure",
    "industry_name",
    "listed",
    "months",
    "outcome_text",
    "rule_title",
    "word",
]

MEASURES = ("fen", "months", "ppm", "count")
# Why a person decided is shown with the decision, to whom it may be shown.
WITHOUT_FIGURES = ("no_saving", "appraisal_missing", "already_decided")
UPPER_BOUNDS = ("above_rate_ceiling", "above_borrowers_rate", "premium_above_limit")
TWO_SIDED = ("term_out_of_range", "sum_insured_out_of_range")

State = Literal["met", "missed", "not_tested"]


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule of one pair in words. Figures are empty where the sentence says all."""

    code: str
    state: State
    title: str
    sentence: str
    required: str = ""
    found: str = ""
    gap: str = ""
    cure: str = ""
    patent_ids: tuple[str, ...] = ()

    @property
    def is_met(self) -> bool:
        return self.state == "met"


@dataclass(frozen=True, slots=True)
class ChangeText:
    """What to change, and on which kind of page ("" where there is nothing to do but wait)."""

    sentence: str
    place: ChangePlace | Literal[""]


def describe(result: RuleResult, *, labels: Mapping[str, str] | None = None) -> RuleLine:
    """One rule result in words. `labels`: names of region codes, where the page knows them."""
    text = RULES[result.code]
    required = figure(result.required, result.unit, result.code, labels)
    found = figure(result.found, result.unit, result.code, labels)
    gap = figure(result.gap, result.unit, result.code, labels)
    values = {"required": required, "found": found, "gap": gap}
    if not result.applies:
        return RuleLine(
            result.code,
            "not_tested",
            str(text.title),
            str(_("Not tested: another criterion decides before.")),
        )
    if result.passed:
        # Nothing was asked for, or the figures are but a yes: the sentence says all.
        is_worth_showing = bool(result.required) and result.unit in MEASURES
        shown = is_worth_showing and result.code not in WITHOUT_FIGURES
        return RuleLine(
            result.code,
            "met",
            str(text.title),
            str(text.met),
            _bound(result, required) if shown else "",
            found if shown else "",
            patent_ids=result.patent_ids,
        )
    shown = result.code not in WITHOUT_FIGURES
    return RuleLine(
        result.code,
        "missed",
        str(text.title),
        str(_missed(result, text)) % values,
        _bound(result, required) if shown else "",
        found if shown else "",
        gap,
        str(text.cure) % values,
        result.patent_ids,
    )


def _bound(result: RuleResult, required: str) -> str:
    """The figure required, as the bound it is."""
    limit, found = result.required, result.found
    if result.unit not in MEASURES or not isinstance(limit, int) or not isinstance(found, int):
        return required
    # Of a range the matcher names the lower end only where that is the one missed.
    is_upper = result.code in UPPER_BOUNDS or (
        result.code in TWO_SIDED and (result.passed or found > limit)
    )
    words = _("at most %(figure)s") if is_upper else _("at least %(figure)s")
    return str(words) % {"figure": required}


def describe_all(
    results: Iterable[RuleResult], *, labels: Mapping[str, str] | None = None
) -> list[RuleLine]:
    """Every rule in the matcher's order."""
    return [describe(result, labels=labels) for result in results]


def outcome_text(code: str) -> OutcomeText:
    """The words for an offer's outcome; a refusal code means the offer does not fit."""
    return OUTCOMES.get(code, OUTCOMES["refused"])


def rule_title(code: str) -> str:
    """The short name of a criterion, for lists of first reasons and filters."""
    return str(RULES[code].title) if code in RULES else code


def citable_rules(kind: RequestKind) -> list[tuple[str, Text]]:
    """Codes and titles a person may name as the reason: the rules of the kind but the last one."""
    rules = INSURANCE_RULES if kind == "insurance" else LOAN_RULES
    codes = [rule.__name__ for rule in rules if rule.__name__ != "already_decided"]
    return [(code, RULES[code].title) for code in codes]


def _missed(result: RuleResult, text: RuleText) -> Text:
    if result.code == "not_open" and result.unit == "day":
        if result.gap is not None:
            return _("The offer opens on %(required)s.")
        return _("The offer closed on %(required)s.")
    if result.code == "term_out_of_range" and isinstance(result.found, int):
        if isinstance(result.required, int) and result.found < result.required:
            return _("The offer lends for %(required)s or longer; asked for: %(found)s.")
        return _("The offer lends for %(required)s at most; asked for: %(found)s.")
    return text.missed


def figure(
    value: Figure, unit: str, code: str = "", labels: Mapping[str, str] | None = None
) -> str:
    """A rule's figure with its unit, in the reader's language; empty for none."""
    if value is None or value == "" or value == ():
        return ""
    if isinstance(value, date):
        return formats.day(value)
    if isinstance(value, tuple):
        return listed(word(item, code, labels) for item in value)
    if isinstance(value, str):
        return word(value, code, labels)
    match unit:
        case "fen":
            return formats.wan(Decimal(value) / 100)
        case "ppm":
            return formats.percent(Decimal(value) / 10_000, 2)
        case "months":
            return months(value)
        case _:
            return formats.count(value)


def months(count: int) -> str:
    """A length of time as people say it: 18 months, 3 years."""
    if count >= 24 and count % 12 == 0:
        years = count // 12
        return ngettext("%(count)d year", "%(count)d years", years) % {"count": years}
    return ngettext("%(count)d month", "%(count)d months", count) % {"count": count}


def word(value: str, code: str = "", labels: Mapping[str, str] | None = None) -> str:
    """A code's name: of a region or an industry, or one of `WORDS`; else the code itself."""
    if labels and value in labels:
        return labels[value]
    if code == "industry_not_accepted":
        return industry_name(value)
    return str(WORDS.get(value, value))


def industry_name(code: str) -> str:
    """Code and name of an industry in the reader's language, where the standard names it."""
    try:
        full = industries.normalise(code)
        return f"{full} {industries.name(full, 'zh' if formats.in_chinese() else 'en')}"
    except industries.UnknownIndustry:
        return code


def change_text(miss: NearMiss, *, labels: Mapping[str, str] | None = None) -> ChangeText:
    """The one change that makes a refused offer fit, in words. `labels`: patent titles by id."""
    known = labels or {}
    values = {
        "before": figure(miss.before, miss.unit),
        "after": figure(miss.after, miss.unit),
        "patents": listed(known.get(each, each) for each in miss.patent_ids),
    }
    if miss.change_code == "get_appraisal":
        values["after"] = figure(miss.after, "fen")
    return ChangeText(
        str(CHANGES[miss.change_code] % values), CHANGE_PLACES.get(miss.change_code, "")
    )


def listed(items: Iterable[str]) -> str:
    """Several words, with the separator of the language."""
    return ("、" if formats.in_chinese() else ", ").join(items)
