"""Credit codes under this installation's settings; forms, services and imports call it."""

import re
import unicodedata

from django.conf import settings

from businesses.rules.identifiers import CreditCode, IdentifierError, parse_credit_code

# A code of the right form may still fail its check or name no province (DOMAIN 4.1).
ACCEPTABLE_FAULTS = frozenset({"check_digit", "unknown_province"})
_CODE_FORM = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}", re.ASCII)


def read_credit_code(text: str) -> CreditCode:
    """The code as typed; demo codes only where demo data is switched on. Raises IdentifierError."""
    return parse_credit_code(text, accept_demo=settings.DEMO_DATA)


def stored_credit_code(text: str, *, is_exact: bool = False) -> str:
    """The form to store. Raises IdentifierError.

    `is_exact`: the owner has compared it with the licence. A code of the right form that fails
    its check is then kept; it stays unverifiable until a coordinator accepts it.
    """
    try:
        return read_credit_code(text).normal
    except IdentifierError as error:
        folded = "".join(unicodedata.normalize("NFKC", text).split()).upper()
        if is_exact and error.code in ACCEPTABLE_FAULTS and _CODE_FORM.fullmatch(folded):
            return folded
        raise
