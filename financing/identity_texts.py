"""The frozen fields of an identity disclosure as facts for a page; the lender's referral shows it.

Reads nothing but the disclosure: what changed since stays unknown to the institution.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from businesses.models.businesses import SizeClass
from businesses.models.co_owners import CoOwnerKind
from businesses.models.patents import PatentKind
from financing.identity_fields import IDENTITY_FIELDS
from financing.models.insurance_offers import CoverKind
from financing.models.requests import Purpose
from financing.rule_texts import industry_name, listed, months
from sipo_portal.ui import formats

Fact = dict[str, Any]
# Shown in parts of their own, not as one line.
IN_PARTS = ("patents", "request")


@dataclass(frozen=True, slots=True)
class Identity:
    """What the page shows: facts of the business, of the request, and a table of patents."""

    business: list[Fact]
    request: list[Fact]
    patent_heads: list[Fact]
    patent_rows: list[list[str]]


def identity_of(fields: Mapping[str, Any]) -> Identity:
    """`fields`: of a `Disclosure` of stage identity."""
    business = [
        {"label": field.label, "value": _value(field.key, fields[field.key])}
        for field in IDENTITY_FIELDS
        if field.key in fields and field.key not in IN_PARTS
    ]
    request = fields.get("request", {})
    return Identity(
        business=business,
        request=_insurance(request) if "cover_kind" in request else _loan(request),
        patent_heads=[
            {"label": _("Patent")},
            {"label": _("Kind")},
            {"label": _("Title")},
            {"label": _("Filed on")},
            {"label": _("Ends on")},
            {"label": _("Appraised value"), "numeric": True},
        ],
        patent_rows=[_patent(patent) for patent in fields.get("patents", [])],
    )


def _value(key: str, value: Any) -> str:
    match key:
        case "region":
            name = value["name"] if formats.in_chinese() else value["name_en"] or value["name"]
            return str(name)
        case "industry":
            return industry_name(str(value)) if value else ""
        case "established_on":
            return _day(value)
        case "size_class":
            return str(dict(SizeClass.choices).get(value, value))
        case "revenue" | "assets":
            return formats.wan(value) if value else ""
        case "employee_count":
            return formats.count(value) if value else ""
        case "co_owners":
            kinds = {str(code): str(label) for code, label in CoOwnerKind.choices}
            return listed(
                _("%(name)s (%(kind)s, patent %(number)s)")
                % {
                    "name": each["name"],
                    "kind": kinds.get(each["kind"], each["kind"]),
                    "number": each["patent"],
                }
                for each in value
            ) or _("none")
    return str(value or "")


def _loan(request: Mapping[str, str]) -> list[Fact]:
    purposes = {str(code): str(label) for code, label in Purpose.choices}
    purpose = request.get("purpose", "")
    return [
        {"label": _("Asked for"), "value": formats.yuan(request.get("amount"))},
        {"label": _("Least accepted"), "value": formats.yuan(request.get("least_accepted"))},
        {
            "label": _("Proposed on your offer"),
            "value": formats.yuan(request.get("proposed_amount")),
        },
        {"label": _("Term"), "value": months(int(request.get("term_months") or 0))},
        {
            "label": _("Purpose"),
            "value": purposes.get(purpose, purpose),
            "note": request.get("purpose_text", ""),
        },
    ]


def _insurance(request: Mapping[str, str]) -> list[Fact]:
    covers = {str(code): str(label) for code, label in CoverKind.choices}
    cover = request.get("cover_kind", "")
    facts: list[Fact] = [
        {"label": _("Cover"), "value": covers.get(cover, cover)},
        {"label": _("Sum insured asked for"), "value": formats.yuan(request.get("amount"))},
        {
            "label": _("Proposed on your offer"),
            "value": formats.yuan(request.get("proposed_amount")),
        },
    ]
    if request.get("premium_limit"):
        facts.append(
            {
                "label": _("Highest premium accepted"),
                "value": formats.yuan(request["premium_limit"]),
            }
        )
    return facts


def _patent(patent: Mapping[str, str]) -> list[str]:
    kinds = {str(code): str(label) for code, label in PatentKind.choices}
    value = formats.NOTHING
    if patent.get("appraised_value"):
        value = _("%(value)s, %(appraiser)s, %(day)s") % {
            "value": formats.wan(patent["appraised_value"]),
            "appraiser": patent.get("appraiser", ""),
            "day": _day(patent.get("appraised_on", "")),
        }
    return [
        f"ZL{patent['number']}",
        kinds.get(patent["kind"], patent["kind"]),
        patent["title"],
        _day(patent["filed_on"]),
        _day(patent["expires_on"]),
        value,
    ]


def _day(text: Any) -> str:
    return formats.day(date.fromisoformat(text)) if text else ""
