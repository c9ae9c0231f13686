"""What a blind referral says, as facts for a page; a coordinator sees it before approving."""

from typing import Any

from django.utils.translation import gettext as _

from businesses.models.businesses import SizeClass
from businesses.models.patents import PatentKind
from financing.bands import AMOUNT_BANDS, LIFE_BANDS, band_label
from financing.rule_texts import industry_name, listed
from sipo_portal.ui import formats


def blind_facts(fields: dict[str, Any]) -> list[dict[str, str]]:
    """The frozen fields of a blind disclosure, for components/summary_list.html."""
    sizes = {str(value): str(label) for value, label in SizeClass.choices}
    division = str(fields["industry_division"])
    province = fields["province_name"]
    if not formats.in_chinese():
        province = fields["province_name_en"] or province
    return [
        {"label": _("Reference"), "value": str(fields["reference"])},
        {"label": _("Province of the business"), "value": str(province)},
        {"label": _("Industry"), "value": industry_name(division) if division else ""},
        {"label": _("Size class"), "value": sizes.get(fields["size_class"], "")},
        {"label": _("Amount"), "value": band_label(AMOUNT_BANDS, fields["amount_band"])},
        {"label": _("Patents"), "value": _patents(fields) or _("none")},
        *_life(fields),
    ]


def _life(fields: dict[str, Any]) -> list[dict[str, str]]:
    """A cover without own patents has none that could end."""
    if not fields["patents_by_kind"]:
        return []
    band = band_label(LIFE_BANDS, fields["life_band"])
    return [{"label": _("Life of the patent that ends first"), "value": band}]


def _patents(fields: dict[str, Any]) -> str:
    kinds = {str(value): str(label) for value, label in PatentKind.choices}
    return listed(
        f"{kinds.get(kind, kind)} × {count}" for kind, count in fields["patents_by_kind"].items()
    )
