"""A loan offer's published criteria as facts for a page; the review shows them."""

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from businesses.models.businesses import SizeClass
from businesses.models.certificates import CertificateKind
from financing.models.loan_offers import CollateralBasis, LoanOffer, RateBasis
from financing.rule_texts import industry_name, listed, months
from sipo_portal.ui import formats


def criteria_facts(offer: LoanOffer) -> list[dict[str, str]]:
    """What the offer asks for and gives. `offer`: read `with_criteria` (no further query)."""
    facts = [
        {
            "label": _("Lends"),
            "value": _("%(least)s to %(most)s")
            % {"least": formats.wan(offer.min_principal), "most": formats.wan(offer.max_principal)},
        },
        {
            "label": _("Term"),
            "value": _("%(least)s to %(most)s")
            % {"least": months(offer.min_term_months), "most": months(offer.max_term_months)},
        },
        {"label": _("Interest rate"), "value": rate_text(offer)},
        {"label": _("Repayment"), "value": str(offer.get_repayment_method_display())},
        {"label": _("Collateral"), "value": _collateral(offer), "note": _unappraised(offer)},
        {"label": _("Patents accepted"), "value": _kinds(offer), "note": _patents(offer)},
        {"label": _("Size classes"), "value": _labels(offer.size_classes, dict(SizeClass.choices))},
        {"label": _("Regions"), "value": _all_or(region.label for region in offer.regions.all())},
        {"label": _("Industries"), "value": _all_or(map(industry_name, offer.industries))},
    ]
    if offer.min_operating_months:
        facts.append({"label": _("Operating history"), "value": months(offer.min_operating_months)})
    if offer.required_certificates:
        kinds = dict(CertificateKind.choices)
        facts.append(
            {"label": _("Certificates"), "value": _labels(offer.required_certificates, kinds)}
        )
    if offer.closes_on:
        facts.append({"label": _("Closes on"), "value": formats.day(offer.closes_on)})
    return facts


def rate_text(offer: LoanOffer) -> str:
    """The nominal rate as posted."""
    if offer.rate_basis == RateBasis.FIXED:
        return _("%(rate)s fixed") % {"rate": formats.percent(offer.interest_rate_percent)}
    words = {
        RateBasis.LPR_1Y.value: _("one-year LPR %(spread)s basis points"),
        RateBasis.LPR_5Y.value: _("five-year LPR %(spread)s basis points"),
    }
    return words[offer.rate_basis] % {"spread": f"{offer.spread_bp or 0:+d}"}


def _collateral(offer: LoanOffer) -> str:
    match offer.collateral_basis:
        case CollateralBasis.LIMIT_TABLE:
            steps = [
                ngettext(
                    "%(limit)s from %(count)d patent", "%(limit)s from %(count)d patents", count
                )
                % {"limit": formats.wan(step.limit_amount), "count": count}
                for step in offer.collateral_limits.all()
                for count in [step.min_patents]
            ]
            return listed(steps)
        case CollateralBasis.SHARE_OF_PRINCIPAL:
            return _("the patents cover %(share)s of the principal") % {
                "share": formats.percent(offer.collateral_share_percent)
            }
    return str(CollateralBasis.APPRAISED.label)


def _unappraised(offer: LoanOffer) -> str:
    if offer.unappraised_limit is None:
        return ""
    return _("Up to %(limit)s before an appraisal, which costs %(fee)s.") % {
        "limit": formats.wan(offer.unappraised_limit),
        "fee": formats.yuan(offer.appraisal_fee),
    }


def _kinds(offer: LoanOffer) -> str:
    if offer.collateral_basis == CollateralBasis.LIMIT_TABLE:
        return listed(str(each.get_kind_display()) for each in offer.accepted_kinds.all())
    return listed(
        _("%(kind)s up to %(share)s of its value")
        % {
            "kind": each.get_kind_display(),
            "share": formats.percent(each.loan_to_value_percent),
        }
        for each in offer.accepted_kinds.all()
    )


def _patents(offer: LoanOffer) -> str:
    parts = []
    if offer.min_patents > 1:
        parts.append(
            ngettext("at least %(count)d patent", "at least %(count)d patents", offer.min_patents)
            % {"count": offer.min_patents}
        )
    if offer.life_margin_months:
        parts.append(
            _("living %(margin)s longer than the loan")
            % {"margin": months(offer.life_margin_months)}
        )
    return listed(parts)


def _labels(codes: Iterable[str], labels: Mapping[str, object]) -> str:
    return listed(str(labels.get(code, code)) for code in codes)


def _all_or(names: Iterable[object]) -> str:
    return listed(str(name) for name in names) or _("all")
