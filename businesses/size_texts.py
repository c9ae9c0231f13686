"""Why a business has its size class, in words and as a table; pages of businesses read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from businesses.models.businesses import SizeClass, SizeIndicator
from businesses.rules.size_class import IndicatorTier, SizeVerdict
from sipo_portal.ui import formats

Text = str | Promise

# (tier, what the next one is, attribute with its lower bound)
_NEXT = {"micro": ("small", "small_from"), "small": ("medium", "medium_from")}
_FROM = {"small": "small_from", "medium": "medium_from", "large": "large_from"}


@dataclass(frozen=True, slots=True)
class SizeExplanation:
    """`sentences` say what decided, what is missing and what it means; `rows` go to data_table."""

    size_class: str
    label: str
    tone: str
    sentences: list[str]
    heads: list[dict[str, object]]
    rows: list[list[str]]


def explain(verdict: SizeVerdict) -> SizeExplanation:
    """The verdict in the reader's language; call it while answering a request."""
    label = str(SizeClass(verdict.size_class).label)
    if verdict.provisional:
        label = str(_("%(size)s (provisional)") % {"size": label})
    return SizeExplanation(
        size_class=verdict.size_class,
        label=label,
        tone=_tone(verdict),
        sentences=[str(each) for each in _sentences(verdict)],
        heads=[
            {"label": _("Indicator"), "numeric": False},
            {"label": _("Your figure"), "numeric": True},
            {"label": _("Reaches"), "numeric": False},
            {"label": _("Small from"), "numeric": True},
            {"label": _("Medium from"), "numeric": True},
            {"label": _("Large from"), "numeric": True},
        ],
        rows=[_row(tier) for tier in verdict.tiers],
    )


def _tone(verdict: SizeVerdict) -> str:
    if verdict.size_class in ("micro", "small"):
        return "attention" if verdict.provisional else "good"
    return "attention" if verdict.size_class == "undetermined" else "neutral"


def _sentences(verdict: SizeVerdict) -> list[Text]:
    match verdict.size_class:
        case "micro" | "small":
            return [*_deciding(verdict), *_provisional(verdict), *_next_class(verdict)]
        case "medium" | "large":
            return [
                *_deciding(verdict),
                _(
                    "You may look at everything here, but loans and insurance of this programme "
                    "are for micro and small businesses only."
                ),
            ]
        case "not_covered":
            return [
                _(
                    "The size standard has no figures for this industry, so the business cannot "
                    "ask for loans or insurance of this programme. Check that the industry is "
                    "right."
                )
            ]
    return _undetermined(verdict)


def _deciding(verdict: SizeVerdict) -> list[Text]:
    tier = next((each for each in verdict.tiers if each.indicator == verdict.indicator), None)
    if tier is None or tier.tier is None:
        return []
    words = {"indicator": SizeIndicator(tier.indicator).label, "figure": _figure(tier, tier.value)}
    if tier.tier in _NEXT:
        bound = getattr(tier, _NEXT[tier.tier][1])
        sentence = _("%(indicator)s decides: %(figure)s, below %(bound)s.")
    else:
        bound = getattr(tier, _FROM[tier.tier])
        sentence = _("%(indicator)s decides: %(figure)s, and this class begins at %(bound)s.")
    return [sentence % {**words, "bound": _figure(tier, bound)}]


def _provisional(verdict: SizeVerdict) -> list[Text]:
    if not verdict.provisional:
        return []
    return [
        _(
            "Not all figures are known, so it is at most small. You may ask for loans and "
            "insurance; add what is missing for the final class: %(missing)s."
        )
        % {"missing": _names(verdict.tiers)}
    ]


def _next_class(verdict: SizeVerdict) -> list[Text]:
    """What would have to grow until the business counts as the next larger class."""
    if verdict.size_class not in _NEXT or verdict.provisional:
        return []
    target, attribute = _NEXT[verdict.size_class]
    short = [each for each in verdict.tiers if each.tier == verdict.size_class]
    if not short:
        return []
    bounds = [
        str(
            _("%(indicator)s from %(bound)s")
            % {
                "indicator": SizeIndicator(each.indicator).label,
                "bound": _figure(each, getattr(each, attribute)),
            }
        )
        for each in short
    ]
    sentence = _("It would count as %(size)s with %(bounds)s.")
    return [sentence % {"size": SizeClass(target).label, "bounds": _joined(bounds)}]


def _undetermined(verdict: SizeVerdict) -> list[Text]:
    if not verdict.tiers:
        return [
            _(
                "The standard sets different figures inside this industry. Enter the four-digit "
                "industry code to get the size class."
            )
        ]
    return [
        _("The size class cannot be told yet. Add what is missing: %(missing)s.")
        % {"missing": _names(verdict.tiers)},
        _("Without a size class the business cannot ask for loans or insurance."),
    ]


def _names(tiers: Sequence[IndicatorTier]) -> str:
    return _joined([str(SizeIndicator(each.indicator).label) for each in tiers if not each.tier])


def _joined(words: Sequence[str]) -> str:
    return ("、" if formats.in_chinese() else ", ").join(words)


def _row(tier: IndicatorTier) -> list[str]:
    return [
        str(SizeIndicator(tier.indicator).label),
        str(_("unknown")) if tier.value is None else _figure(tier, tier.value),
        str(SizeClass(tier.tier).label) if tier.tier else formats.NOTHING,
        _figure(tier, tier.small_from),
        _figure(tier, tier.medium_from),
        _figure(tier, tier.large_from),
    ]


def _figure(tier: IndicatorTier, value: Decimal | int | None) -> str:
    """A figure of the indicator with its unit."""
    if value is None:
        return formats.NOTHING
    if tier.indicator == "employees":
        number = int(value)
        return ngettext("%(count)s person", "%(count)s people", number) % {
            "count": formats.count(number)
        }
    return formats.wan(Decimal(value) * formats.WAN)
