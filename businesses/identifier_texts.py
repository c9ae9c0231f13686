"""What is wrong with a number somebody typed; forms and imports call it."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from businesses.rules.identifiers import IdentifierError

Text = str | Promise

# Code of IdentifierError -> what is wrong, what to do.
PATENT_NUMBER: dict[str, Text] = {
    "empty": _("Enter the patent number printed on the certificate."),
    "wrong_length": _(
        "A patent number has 12 digits, a point and one more character (before October 2003: 8 "
        "digits). Compare it with the certificate, digit by digit."
    ),
    "bad_character": _(
        "There is a character that no patent number has. Only digits, and perhaps an X at the end; "
        "the letters O and I are often typed for 0 and 1."
    ),
    "check_digit": _(
        "The last character, after the point, does not fit the digits before it. One digit is "
        "mistyped or two are swapped: compare each with the certificate."
    ),
    "check_digit_missing": _(
        "The last character after the point is missing. Add it as on the certificate: a digit or X."
    ),
    "unknown_type_digit": _(
        "The digit after the year says what kind of patent it is: 1, 2, 3, 8 or 9. Check "
        "that digit."
    ),
    "filing_year_out_of_range": _(
        "The number starts with a year in which no such patent can have been filed. Check the "
        "first digits: the year of filing, from 1985 to this year."
    ),
    "publication_number": _(
        "This is a publication number. Enter the patent number (it starts with ZL) or the "
        "application number; there is a field for the publication number below."
    ),
    "pct_number": _(
        "This is an international number (PCT or WO). Enter the Chinese application number that "
        "was given when the national phase was entered."
    ),
}

CREDIT_CODE: dict[str, Text] = {
    "empty": _("Enter the code printed on your business licence."),
    "wrong_length": _(
        "A unified social credit code has 18 characters. Compare it with your licence."
    ),
    "bad_character": _(
        "There is a character that no code has. Codes hold digits and capital letters without I, "
        "O, S, V and Z; the letters O and I are often typed for 0 and 1."
    ),
    "check_digit": _(
        "The last character does not fit the 17 before it. One character is mistyped or two are "
        "swapped: compare each with your licence."
    ),
    "old_registration_number": _(
        "This is an old registration number of 13 or 15 digits. It was replaced by a code of 18 "
        "characters: you find it on your present licence."
    ),
    "organisation_code": _(
        "This is an old organisation code of 9 characters. It was replaced by a code of 18 "
        "characters: you find it on your present licence."
    ),
    "unknown_province": _(
        "Characters 3 to 8 stand for the place of registration, and these name no province. "
        "Compare them with your licence."
    ),
    "demo_division": _("This code is for demonstrations only. Enter the code on your licence."),
}

UNKNOWN_COUNTY = _(
    "The place in the code (characters 3 to 8) is not a present division. That is normal for codes "
    "given before a place was renamed; check it if you registered recently."
)


def patent_number_fault(error: IdentifierError) -> str:
    """Why the patent number was refused and what to do."""
    return str(PATENT_NUMBER.get(error.code, error))


def credit_code_fault(error: IdentifierError) -> str:
    """Why the credit code was refused and what to do."""
    return str(CREDIT_CODE.get(error.code, error))
