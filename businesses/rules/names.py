"""Comparing names as registers write them; called by registrability, insurability and imports."""

import unicodedata


def fold_name(name: str) -> str:
    """One form for comparing: NFKC (full-width brackets, letters), no blanks, case folded."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def same_name(one: str, other: str) -> bool:
    """True when both names are the same apart from blanks, case and full-width forms."""
    return one == other or fold_name(one) == fold_name(other)
