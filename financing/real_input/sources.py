"""The files of real input as rows of the documented import columns, assumed cells named.

Every function is plain: file records in, records for the import services out.
"""

import csv
import re
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

from businesses.rules.patent_term import add_months
from financing.real_input.assumptions import between, draw, lognormal, one_of
from sipo_portal.offices.divisions import all_divisions

Record = dict[str, Any]

YUAN_PER_CURRENCY = {"CNY": 1.0, "USD": 7.0, "HKD": 0.9, "": 1.0}
# Words of a business scope that tell an industry; the first that occurs decides.
INDUSTRY_WORDS = (
    ("软件", "I6513"),
    ("集成电路", "C3973"),
    ("医疗器械", "C3589"),
    ("药", "C2720"),
    ("电池", "C3841"),
    ("汽车", "C3670"),
    ("机床", "C3421"),
    ("阀", "C3443"),
    ("泵", "C3441"),
    ("机械", "C3599"),
    ("电子", "C3990"),
    ("电器", "C3859"),
    ("环保", "C3591"),
    ("化工", "C2669"),
    ("塑料", "C2929"),
    ("纺织", "C1789"),
    ("食品", "C1499"),
    ("建筑", "E4790"),
    ("检测", "M7452"),
    ("技术开发", "M7590"),
)
OTHER_INDUSTRIES = ("C3990", "C3599", "C2929", "C3859")
KNOWN_PLACES = {"深圳": "440300", "惠州": "441300", "合肥": "340100", "青岛": "370200"}
# The share of the median small-business loan that DOMAIN 4.6 gives for such loans, in yuan.
MEDIAN_PRINCIPAL = 3_500_000


def read_csv(path: Path) -> list[Record]:
    """All records of a file in UTF-8."""
    with path.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


def business_record(company: Record) -> Record:
    """One registered company; industry, staff, revenue and assets are assumed from its capital."""
    code = company["uscc"]
    assumed = ["industry", "employees", "revenue_wan", "assets_wan", "figures_year"]
    region, is_exact = _region(company["province"], company["prefecture"])
    if not is_exact:
        assumed.append("region_code")
    capital = float(company["registered_capital_wan"] or 500)
    capital *= YUAN_PER_CURRENCY[company["capital_currency"]]
    return {
        "credit_code": code,
        "name": company["name"],
        "region_code": region,
        "industry": _industry(code, company["business_scope_80"]),
        "established_on": company["registration_date"],
        "employees": max(1, round(capital**0.5 * between(code, "staff", 0.5, 2))),
        "revenue_wan": round(capital * between(code, "revenue", 0.3, 2), 2),
        "assets_wan": round(capital * between(code, "assets", 0.8, 2), 2),
        "figures_year": 2018,
        "assumed": ";".join(assumed),
    }


def _region(province: str, place: str) -> tuple[str, bool]:
    """The division named, else its province; whether it was found as named."""
    provinces = (d for d in all_divisions().values() if d.level == "province")
    code = next((d.code for d in provinces if d.name.startswith(province)), "")
    below = [
        d.code
        for d in all_divisions().values()
        if place and d.level != "province" and d.code[:2] == code[:2] and d.name.startswith(place)
    ]
    return (min(below), True) if below else (code, False)


def _industry(code: str, scope: str) -> str:
    found = [industry for word, industry in INDUSTRY_WORDS if word in scope]
    return found[0] if found else one_of(code, "industry", OTHER_INDUSTRIES)


def patent_record(patent: Record, names: dict[str, str], on: date) -> Record:
    """One patent linked to a company; annuities, consent and appraisal are assumed.

    `names`: company name by credit code. In force on the record's day means granted and its
    annuities paid up to the patent year that runs on `on`.
    """
    number, code = patent["app_no"], patent["uscc"]
    filed_on = date.fromisoformat(patent["filing_date"])
    name = names.get(code, "")
    others = [each for each in patent["applicants"].split(";") if each and each != name]
    record: Record = {
        "credit_code": code,
        "application_number": number,
        "title": patent["title"],
        "filed_on": patent["filing_date"],
        "granted_on": patent["grant_date"],
        "publication_number": patent["publication_no"],
        "ipc_main": patent["ipc_main"],
        "owner_name": name,
        "co_owners": ";".join(others),
    }
    assumed = []
    if others:
        record["co_owner_consent"] = "given" if draw(number, "consent") < 0.7 else "missing"
        assumed.append("co_owner_consent")
    if patent["legal_status"] == "in_force":
        if not patent["grant_date"]:
            record["granted_on"] = patent["publication_date"]
            assumed.append("granted_on")
        record["annuity_paid_through_year"] = _running_year(filed_on, on)
        assumed.append("annuity_paid_through_year")
        if draw(number, "is appraised") < 0.75:
            record |= _appraisal(patent, on)
            assumed.append("appraised_value")
    elif patent["legal_status"] == "lapsed":
        record |= {"end_reason": "annuity_unpaid", "ended_on": patent["legal_status_as_of"]}
        assumed.append("ended_on")
    else:
        # Pending, or the register extract does not say: not offered until somebody knows.
        record["status"] = "draft"
    return record | {"assumed": ";".join(assumed)}


def _running_year(filed_on: date, on: date) -> int:
    """The patent year that runs on a day; year n starts on the filing anniversary n - 1."""
    years = 0
    while add_months(filed_on, 12 * (years + 1)) <= on:
        years += 1
    return years + 1


def _appraisal(patent: Record, on: date) -> Record:
    median = 3_000_000 if patent["patent_type"] == "发明" else 1_200_000
    value = lognormal(patent["app_no"], "appraisal", median, 0.8)
    months = int(between(patent["app_no"], "appraised on", 1, 14))
    return {
        "appraised_value": round(value / 10_000) * 10_000,
        "appraised_on": add_months(on, -months).isoformat(),
        "appraiser": "assumed",
    }


def offer_record(product: Record, on: date) -> Record:
    """One product; what its page does not state is assumed within the bands of DOMAIN 4.6."""
    key = f"{product['lender']} {product['product']}"
    assumed: list[str] = []

    def stated(column: str, text: str, otherwise: Callable[[], Any]) -> Any:
        if text:
            return text
        assumed.append(column)
        return otherwise()

    maximum = stated("max_principal", product["max_amount_wan"], lambda: "1000")
    record: Record = {
        "institution": product["lender"],
        "name": product["product"],
        "institution_region": _place(product) or "110000",
        "regions": _place(product),
        "max_principal": int(maximum) * 10_000,
        "min_principal": int(product["min_amount_wan"] or 0) * 10_000,
        "max_term_months": stated("max_term_months", product["max_term_months"], lambda: 36),
        "min_operating_months": 12 * int(product["min_years_operating"] or 0),
        "required_certificates": "high_tech" if "高新技术企业" in _conditions(product) else "",
        "accepted_kinds": _kinds(product, assumed),
        "capacity_amount": one_of(key, "capacity", (20, 30, 50, 100)) * 1_000_000,
        "unappraised_limit": 1_000_000 if "免评估" in _conditions(product) else "",
        "opens_on": date(on.year, 1, 1).isoformat(),
    }
    assumed.append("capacity_amount")
    record |= _rate(product, key, assumed)
    record |= _collateral(product, assumed)
    return record | {"assumed": ";".join(assumed)}


def _conditions(product: Record) -> str:
    return f"{product['other_conditions']} {product['rate_text']}"


def _place(product: Record) -> str:
    """Division served; empty for the whole country."""
    if product["region"] == "全国":
        return ""
    for word, code in KNOWN_PLACES.items():
        if word in product["region"] or word in product["lender"]:
            return code
    return _region(product["region"], "")[0]


def _kinds(product: Record, assumed: list[str]) -> str:
    """Loan-to-value and least remaining life by kind; designs are usually refused."""
    most = float(product["ltv_max_pct"] or 40)
    if not product["ltv_max_pct"]:
        assumed.append("accepted_kinds")
    kinds = [
        ("invention", most, product["min_remaining_years_invention"]),
        ("utility_model", most * 0.6, product["min_remaining_years_utility"]),
    ]
    if product["min_remaining_years_design"]:
        kinds.append(("design", most * 0.5, product["min_remaining_years_design"]))
    return ";".join(f"{kind}:{share:g}:{12 * int(life or 0)}" for kind, share, life in kinds)


def _rate(product: Record, key: str, assumed: list[str]) -> Record:
    if product["rate_basis"] == "LPR1Y" and product["spread_bp"]:
        return {"rate_basis": "lpr_1y", "spread_bp": product["spread_bp"]}
    found = re.search(r"(\d+(?:\.\d+)?)%", product["rate_text"])
    if product["rate_basis"] == "FIXED" and found:
        return {"rate_basis": "fixed", "interest_rate_percent": found.group(1)}
    assumed += ["rate_basis", "spread_bp"]
    spread = round(between(key, "spread", -20, 80) / 5) * 5
    return {"rate_basis": "lpr_1y", "spread_bp": spread}


def _collateral(product: Record, assumed: list[str]) -> Record:
    """A limit table or a share of the principal where the page states one."""
    text = _conditions(product)
    table = re.search(r"1件授信(\d+)万元、更多件(\d+)万元、3件以上(\d+)万元", text)
    if table:
        limits = zip((1, 2, 3), table.groups(), strict=True)
        return {
            "collateral_basis": "limit_table",
            "limit_table": ";".join(f"{count}:{int(wan) * 10_000}" for count, wan in limits),
        }
    share = re.search(r"不低于贷款金额(\d+)%", text)
    if share:
        return {
            "collateral_basis": "share_of_principal",
            "collateral_share_percent": share.group(1),
        }
    assumed.append("collateral_basis")
    return {"collateral_basis": "appraised"}


def loan_shapes(loans: Iterable[Record]) -> list[tuple[float, int]]:
    """Amount over the median amount, and term in months, of real small-business loans."""
    rows = [(float(loan["approved_usd"]), int(loan["term_months"])) for loan in loans]
    amounts = sorted(amount for amount, _term in rows)
    median = amounts[len(amounts) // 2]
    return [(amount / median, term) for amount, term in rows if amount > 0]


def request_wish(code: str, shapes: list[tuple[float, int]]) -> tuple[int, int, int]:
    """Principal and least accepted in yuan, term in months, of one business: one real loan's shape.

    The amount is scaled to the median of DOMAIN 4.6 and cut to 0.1 to 30 million; terms of
    American loans are long, so half of each is taken, 6 to 36 months.
    """
    ratio, term = shapes[int(draw(code, "loan") * len(shapes))]
    principal = min(max(round(MEDIAN_PRINCIPAL * ratio / 50_000) * 50_000, 100_000), 30_000_000)
    least = int(principal * one_of(code, "least", (0.3, 0.5, 0.7)))
    return principal, least, min(max(round(term / 2), 6), 36)
