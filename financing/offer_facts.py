"""An offer's published criteria as facts for a page; review, owner's pages and admin show them."""

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from businesses.models.businesses import SizeClass
from businesses.models.certificates import CertificateKind
from businesses.models.patents import PatentKind
from financing.models.insurance_offers import InsuranceOffer
from financing.models.loan_offers import CollateralBasis, LoanOffer, RateBasis
from financing.pair_kinds import AnyOffer
from financing.rule_texts import industry_name, listed, months
from sipo_portal.ui import formats


def criteria_facts(offer: AnyOffer) -> list[dict[str, str]]:
    """What the offer asks for and gives. `offer`: read with its criteria (no further query)."""
    facts = _loan_facts(offer) if isinstance(offer, LoanOffer) else _insurance_facts(offer)
    if offer.closes_on:
        facts.append({"label": _("Closes on"), "value": formats.day(offer.closes_on)})
    return facts


def _whom_it_serves(offer: AnyOffer) -> list[dict[str, str]]:
    return [
        {"label": _("Size classes"), "value": _labels(offer.size_classes, dict(SizeClass.choices))},
        {"label": _("Regions"), "value": _all_or(region.label for region in offer.regions.all())},
        {"label": _("Industries"), "value": _all_or(map(industry_name, offer.industries))},
    ]


def _loan_facts(offer: LoanOffer) -> list[dict[str, str]]:
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
        *_whom_it_serves(offer),
    ]
    if offer.min_operating_months:
        facts.append({"label": _("Operating history"), "value": months(offer.min_operating_months)})
    if offer.required_certificates:
        kinds = dict(CertificateKind.choices)
        facts.append(
            {"label": _("Certificates"), "value": _labels(offer.required_certificates, kinds)}
        )
    return facts


def _insurance_facts(offer: InsuranceOffer) -> list[dict[str, str]]:
    return [
        {"label": _("Cover"), "value": str(offer.get_cover_kind_display())},
        {
            "label": _("Sum insured"),
            "value": _("%(least)s to %(most)s")
            % {
                "least": formats.wan(offer.min_sum_insured),
                "most": formats.wan(offer.max_sum_insured),
            },
        },
        {"label": _("Premium"), "value": premium_text(offer)},
        {
            "label": _("Excess"),
            "value": formats.percent(offer.excess_percent),
            "note": _("The part of a loss that the policyholder bears."),
        },
        {"label": _("Period of cover"), "value": months(offer.period_months)},
        {
            "label": _("Patents insured"),
            "value": _labels(offer.accepted_kinds, dict(PatentKind.choices))
            or _("needs no own patent"),
            "note": _insured_patents(offer),
        },
        {"label": _("Conditions"), "value": _conditions(offer)},
        *_whom_it_serves(offer),
    ]


def premium_text(offer: InsuranceOffer) -> str:
    """The formula of the premium in words, without the parts that are not charged."""
    parts = []
    if offer.base_premium:
        parts.append(formats.yuan(offer.base_premium))
    if offer.premium_per_patent:
        parts.append(_("%(amount)s a patent") % {"amount": formats.yuan(offer.premium_per_patent)})
    if offer.premium_rate_percent:
        parts.append(
            _("%(rate)s of the sum insured") % {"rate": formats.percent(offer.premium_rate_percent)}
        )
    formula = " + ".join(parts)
    if not offer.min_premium:
        return formula
    least = formats.yuan(offer.min_premium)
    if not formula:
        return least
    return _("%(formula)s, at least %(least)s") % {"formula": formula, "least": least}


def _insured_patents(offer: InsuranceOffer) -> str:
    parts = []
    if offer.min_patents > 1:
        parts.append(
            ngettext("at least %(count)d patent", "at least %(count)d patents", offer.min_patents)
            % {"count": offer.min_patents}
        )
    if offer.accepted_kinds and offer.min_remaining_months:
        parts.append(_("with %(time)s of life left") % {"time": months(offer.min_remaining_months)})
    return listed(parts)


def _conditions(offer: InsuranceOffer) -> str:
    parts = [_("patents in force, annuities paid")]
    parts.append(
        _("the business owns them or holds a licence")
        if offer.accepts_licensee
        else _("the business owns them")
    )
    if offer.needs_co_owner_consent:
        parts.append(_("co-owners consent in writing"))
    if offer.refuses_disputes:
        parts.append(_("no pending ownership or infringement dispute"))
    return listed(parts)


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
