"""What the identity stage says of a match, ready to be frozen; `services.consents` freezes it."""

from typing import Any

from django.utils import timezone

from businesses.models import Patent
from businesses.selectors import expires_on, latest_appraisal
from financing.models.insurance_requests import InsuranceRequest
from financing.models.loan_requests import LoanRequest
from financing.models.matches import Match


def identity_fields(match: Match) -> dict[str, Any]:
    """The fields of `financing.identity_fields.IDENTITY_FIELDS`, as JSON: codes, texts, ISO dates.

    Figures are texts, so that no amount becomes a float; amounts are in yuan.
    """
    business = match.business
    region = business.region
    patents = list(match.patents.with_facts().order_by("pk"))
    return {
        "name": business.name,
        "credit_code": business.credit_code,
        "region": {"code": region.code, "name": region.name, "name_en": region.name_en},
        "address": business.address,
        "industry": business.industry,
        "established_on": business.established_on.isoformat(),
        "size_class": str(business.size_class),
        "employee_count": _text(business.employee_count),
        "revenue": _yuan(business.revenue_wan),
        "assets": _yuan(business.assets_wan),
        "figures_year": _text(business.figures_year),
        "contact_name": _name(business.contact_name),
        "contact_phone": business.contact_phone,
        "legal_representative": _name(business.legal_representative),
        "patents": [_patent(patent) for patent in patents],
        "co_owners": [
            {
                "name": _name(each.name),
                "kind": str(each.kind),
                "patent": each.patent.application_number,
            }
            for patent in patents
            for each in patent.co_owners.all()
        ],
        "request": _request(match),
    }


def _patent(patent: Patent) -> dict[str, str]:
    appraisal = latest_appraisal(patent, on=timezone.localdate())
    return {
        "number": patent.application_number,
        "kind": str(patent.kind),
        "title": patent.title,
        "filed_on": patent.filed_on.isoformat(),
        "granted_on": patent.granted_on.isoformat() if patent.granted_on else "",
        "expires_on": expires_on(patent).isoformat(),
        "appraised_value": _text(appraisal.appraised_value) if appraisal else "",
        "appraised_on": appraisal.appraised_on.isoformat() if appraisal else "",
        "appraiser": appraisal.appraiser if appraisal else "",
    }


def _request(match: Match) -> dict[str, str]:
    request = match.request
    if isinstance(request, LoanRequest):
        return {
            "amount": _text(request.principal),
            "least_accepted": _text(request.least_accepted),
            "proposed_amount": _text(match.amount),
            "term_months": _text(request.term_months),
            "purpose": str(request.purpose),
            "purpose_text": request.purpose_text,
        }
    assert isinstance(request, InsuranceRequest)
    return {
        "cover_kind": str(request.cover_kind),
        "amount": _text(request.sum_insured),
        "proposed_amount": _text(match.amount),
        "premium_limit": _text(request.premium_limit),
    }


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _yuan(wan: Any) -> str:
    return "" if wan is None else str(wan * 10_000)


def _name(name: str) -> str:
    return " ".join(name.split())
