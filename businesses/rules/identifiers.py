"""Patent numbers and unified social credit codes as people type them (DOMAIN 4.1).

Called by forms, importers and match_files. Every refusal is an IdentifierError with its own code.
"""

import re
from dataclasses import dataclass
from datetime import date

from businesses.rules.patent_term import PatentKind
from sipo_portal.offices import divisions

FIRST_FILING_YEAR = 1985
# Full-width ASCII (U+FF01..U+FF5E) to ASCII; nothing else is folded, so that a circled or
# superscript digit is not taken for a typed one.
_FOLD = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
# Every dot a Chinese input method offers for the point before the check digit.
_FOLD |= dict.fromkeys(map(ord, "。｡·・･•‧∙⋅●."), ord("."))
_BLANKS = re.compile(r"[\s\u200b\u200c\u200d\u2060\ufeff]+")

_PATENT_LABEL = re.compile(
    r"^(?:(?:授权)?公[开告]号|(?:国家|中国)?(?:发明|实用新型|外观设计)?(?:专利)?(?:申请)?[((]?(?:专利)?[))]?(?:号码?|编号)"
    r"|(?:CHINESE)?(?:PATENT|APPLICATION|PATENTAPPLICATION|APPL|PAT)\.?(?:NUMBER|NO\.?|№)"
    r"|NO\.|NO(?=[:\d])|№)[:#]?"
)
_PATENT_OFFICE = re.compile(r"^(?:(?:ZL|CN)[.:]?)+")
_PATENT_NUMBER = re.compile(r"(\d{12}|\d{8})\.?([\dX])", re.ASCII)
_PUBLICATION = re.compile(r"(?:CN|ZL)?(\d{7}|\d{8}|\d{9})[ABCUYSD]\d?", re.ASCII)
_PCT = re.compile(r"PCT/?[A-Z]{2}\d{2,4}/?\d{5,6}|WO\d{2,4}/?\d{5,6}(?:[A-Z]\d)?", re.ASCII)
_PATENT_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
_KINDS: dict[str, PatentKind] = {
    "1": "invention",
    "2": "utility_model",
    "3": "design",
    "8": "invention",
    "9": "utility_model",
}

_CREDIT_LABEL = re.compile(r"^(?:统一)?(?:社会)?信用代码[:#]?|^USCC[:#]?")
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_VALUES = {character: value for value, character in enumerate(_CREDIT_ALPHABET)}
NATIONAL_REGISTRY = "100000"
DEMO_DIVISION = "990000"

_MESSAGES = {
    "empty": ("Nothing was entered.", "Enter the number."),
    "wrong_length": (
        "The number has the wrong length.",
        "Compare it with the certificate, character by character.",
    ),
    "bad_character": (
        "The number contains a character that cannot occur there.",
        "Compare it with the certificate; letters O and I are often typed for 0 and 1.",
    ),
    "check_digit": (
        "The check digit does not fit the other digits.",
        "One digit is probably mistyped or two are swapped: compare with the certificate.",
    ),
    "check_digit_missing": (
        "The check digit after the point is missing.",
        "Add the last character: a digit or X, printed after the point.",
    ),
    "unknown_type_digit": (
        "The digit after the year is not 1, 2, 3, 8 or 9.",
        "Check the digit after the year: it says what kind of patent it is.",
    ),
    "filing_year_out_of_range": (
        "The number starts with a year in which no such patent can have been filed.",
        "Check the first digits: the filing year, from 1985 to this year.",
    ),
    "publication_number": (
        "This is a publication number; it cannot be turned into an application number.",
        "Enter the number printed as patent number (ZL) or application number.",
    ),
    "pct_number": (
        "This is an international (PCT or WO) number.",
        "Enter the Chinese application number given when the national phase was entered.",
    ),
    "old_registration_number": (
        "This is an old registration number of 13 or 15 digits.",
        "It was replaced by an 18-character unified social credit code: see the present licence.",
    ),
    "organisation_code": (
        "This is an organisation code of 9 characters.",
        "It is part of the 18-character unified social credit code: see the present licence.",
    ),
    "unknown_province": (
        "Characters 3 to 8 do not start with a province.",
        "Compare characters 3 to 8 with the licence.",
    ),
    "demo_division": (
        "Division 990000 is used by demonstration data only.",
        "Enter the code printed on the licence.",
    ),
}
ERROR_CODES = frozenset(_MESSAGES)


class IdentifierError(ValueError):
    """Why an identifier was refused: `code` for programs, `message` and `remedy` in English."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.message, self.remedy = _MESSAGES[code]
        super().__init__(code)

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}"


@dataclass(frozen=True, slots=True)
class PatentNumber:
    """A Chinese application number in its one stored form: `201420634745.9` or `02274781.8`."""

    normal: str
    kind: PatentKind
    filing_year: int
    is_pct: bool


@dataclass(frozen=True, slots=True)
class CreditCode:
    """A unified social credit code; `province_code` has six digits ("320000"; "100000" national).

    `warnings`: `unknown_county` when characters 3 to 8 are not a present division (8 % of real
    codes carry a retired one).
    """

    normal: str
    province_code: str
    warnings: tuple[str, ...] = ()


def _fold(text: str) -> str:
    return _BLANKS.sub("", text.translate(_FOLD)).upper()


def patent_check_digit(digits: str) -> str:
    """Check character of the 8 or 12 digits before the point: weighted sum modulo 11, 10 is X."""
    total = sum(int(d) * w for d, w in zip(digits, _PATENT_WEIGHTS, strict=False))
    return "0123456789X"[total % 11]


def parse_patent_number(text: str, *, today: date | None = None) -> PatentNumber:
    """Read a patent or application number as typed; IdentifierError says why not.

    Branches on length, not on the year: 2003 has both forms. `today` bounds the filing year.
    """
    folded = _fold(text)
    if not folded:
        raise IdentifierError("empty")
    body = _PATENT_LABEL.sub("", folded)
    if _PCT.fullmatch(body):
        raise IdentifierError("pct_number")
    if _PUBLICATION.fullmatch(body):
        raise IdentifierError("publication_number")
    body = _PATENT_OFFICE.sub("", body)
    if not body:
        raise IdentifierError("empty")
    match = _PATENT_NUMBER.fullmatch(body)
    if match is None:
        raise IdentifierError(_patent_form_error(body))
    digits, check = match.groups()
    if patent_check_digit(digits) != check:
        raise IdentifierError("check_digit")
    # The real current day is only the default of a bound that callers and tests may give.
    last_year = (today or date.today()).year  # noqa: DTZ011
    return _read_digits(digits, check, last_year)


def _patent_form_error(body: str) -> str:
    compact = body.replace(".", "", 1)
    if not re.fullmatch(r"\d+X?", compact, re.ASCII):
        return "bad_character"
    if compact.isdigit() and compact == body.rstrip(".") and len(compact) in (8, 12):
        return "check_digit_missing"
    if len(compact) in (9, 13):
        return "bad_character"  # the point is somewhere else than before the check digit
    return "wrong_length"


def _read_digits(digits: str, check: str, last_year: int) -> PatentNumber:
    if len(digits) == 12:
        year, type_digit, serial = int(digits[:4]), digits[4], int(digits[5:])
    else:
        short, type_digit, serial = int(digits[:2]), digits[2], int(digits[3:])
        year = 1900 + short if short >= FIRST_FILING_YEAR - 1900 else 2000 + short
        last_year = min(last_year, 2003)
    if type_digit not in _KINDS:
        raise IdentifierError("unknown_type_digit")
    if not FIRST_FILING_YEAR <= year <= last_year:
        raise IdentifierError("filing_year_out_of_range")
    # Before 1998 PCT inventions entered as type 1 with serials from 80000 on.
    is_early_pct = len(digits) == 8 and type_digit == "1" and year >= 1994 and serial >= 80000
    return PatentNumber(
        f"{digits}.{check}", _KINDS[type_digit], year, type_digit in "89" or is_early_pct
    )


def credit_check_character(body: str) -> str:
    """Check character over the first 17: (31 - sum of c_i * 3^i mod 31) mod 31 (GB 32100-2015)."""
    total = sum(_CREDIT_VALUES[c] * pow(3, i, 31) for i, c in enumerate(body))
    return _CREDIT_ALPHABET[(31 - total % 31) % 31]


def parse_credit_code(text: str, *, accept_demo: bool = False) -> CreditCode:
    """Read a unified social credit code as typed; IdentifierError says why not.

    Hyphens are no part of any form and are refused. `accept_demo` lets division 990000 pass.
    """
    code = _CREDIT_LABEL.sub("", _fold(text))
    if not code:
        raise IdentifierError("empty")
    if re.fullmatch(r"\d{13}|\d{15}", code, re.ASCII):
        raise IdentifierError("old_registration_number")
    if re.fullmatch(r"[0-9A-Z]{8}-?[0-9X]", code, re.ASCII):
        raise IdentifierError("organisation_code")
    if not set(code) <= _CREDIT_VALUES.keys():
        raise IdentifierError("bad_character")
    if len(code) != 18:
        raise IdentifierError("wrong_length")
    if not code[2:8].isdigit():
        raise IdentifierError("bad_character")
    if credit_check_character(code[:17]) != code[17]:
        raise IdentifierError("check_digit")
    division = code[2:8]
    if division == DEMO_DIVISION:
        if not accept_demo:
            raise IdentifierError("demo_division")
        return CreditCode(code, DEMO_DIVISION)
    if division == NATIONAL_REGISTRY:
        return CreditCode(code, NATIONAL_REGISTRY)
    province = division[:2] + "0000"
    if not divisions.is_known(province):
        raise IdentifierError("unknown_province")
    warnings = () if divisions.is_known(division) else ("unknown_county",)
    return CreditCode(code, province, warnings)
