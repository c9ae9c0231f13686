"""Whether a division or an industry lies under another; called by the rules and the weights."""

from collections.abc import Iterable


def division_prefix(code: str) -> str:
    """The part of a six-digit division code that all divisions below share (GB/T 2260).

    "320000" -> "32" (province), "320500" -> "3205" (prefecture), "320505" -> itself.
    """
    if code.endswith("0000"):
        return code[:2]
    return code[:4] if code.endswith("00") else code


def lies_in_divisions(code: str, divisions: Iterable[str]) -> bool:
    """A division lies under one of `divisions`, or is one of them."""
    return any(code.startswith(division_prefix(division)) for division in divisions)


def lies_in_industries(code: str, industries: Iterable[str]) -> bool:
    """An industry code in full form ("C3911") lies under one of `industries` (GB/T 4754)."""
    return any(code.startswith(industry) for industry in industries)
