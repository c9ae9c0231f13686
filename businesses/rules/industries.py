"""Industry codes of GB/T 4754-2017; called by forms, importers, size_class and matching tables.

Codes are kept in full form: section letter plus digits (`C`, `C39`, `C391`, `C3911`). Source of
the table: data/industries.tsv (sections, divisions and classes of the standard; the standard's
groups are known by their digits only).
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_DATA = Path(__file__).with_name("data") / "industries.tsv"
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_CODE = re.compile(r"([A-T]?)(\d{2,4})|([A-T])", re.ASCII)


class UnknownIndustry(ValueError):
    """A text that is no code of GB/T 4754-2017; `code` is always `unknown_industry`."""

    code = "unknown_industry"

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(f"{text!r} is not an industry code of GB/T 4754-2017")


@dataclass(frozen=True, slots=True)
class Industry:
    """One entry of the standard; `name_en` is given for sections and divisions only."""

    code: str
    name_zh: str
    name_en: str


@cache
def _table() -> dict[str, Industry]:
    lines = _DATA.read_text(encoding="utf-8").splitlines()
    entries = (Industry(*line.split("\t")) for line in lines[1:])
    return {entry.code: entry for entry in entries}


@cache
def _classes_by_code() -> dict[str, tuple[str, ...]]:
    """Full code of any level to the classes in it; groups appear through their classes."""
    found: dict[str, list[str]] = {}
    for code in _table():
        if len(code) == 5:
            for above in (code[:1], code[:3], code[:4], code):
                found.setdefault(above, []).append(code)
    return {code: tuple(classes) for code, classes in found.items()}


@cache
def _section_of_division() -> dict[str, str]:
    return {code[1:]: code[0] for code in _table() if len(code) == 3}


def normalise(code: str) -> str:
    """The full form of a section, division, group or class; UnknownIndustry otherwise.

    Accepts the code with or without its section letter, lower case, full width, blanks around.
    A letter that is not the section of the digits makes the code unknown.
    """
    folded = code.translate(_FULL_WIDTH).strip().upper()
    match = _CODE.fullmatch(folded)
    if match is None:
        raise UnknownIndustry(code)
    letter, digits, section = match.groups()
    if section:
        return section
    owner = _section_of_division().get(digits[:2], "")
    full = owner + digits
    if not owner or letter not in ("", owner) or full not in _classes_by_code():
        raise UnknownIndustry(code)
    return full


def name(code: str, language: str = "zh") -> str:
    """Name in Chinese, or in English where the level has one (else that of its division).

    A group has no name in the table: it gets the name of its division.
    """
    full = normalise(code)
    entry = _table().get(full) or _table()[full[:3]]
    if language == "zh":
        return entry.name_zh
    return entry.name_en or _table()[full[:3]].name_en


def ancestors(code: str) -> tuple[str, ...]:
    """Codes above, from the section down: `C3911` gives (`C`, `C39`, `C391`)."""
    full = normalise(code)
    return tuple(full[:length] for length in (1, 3, 4) if length < len(full))


def classes(code: str) -> tuple[str, ...]:
    """Every class (full form) in a section, division, group or class."""
    return _classes_by_code()[normalise(code)]


def division(code: str) -> str | None:
    """The two digits of a code's division; None for a bare section."""
    full = normalise(code)
    return full[1:3] if len(full) > 1 else None


def sections() -> tuple[Industry, ...]:
    """The 20 sections in order."""
    return tuple(entry for code, entry in _table().items() if len(code) == 1)


def divisions() -> tuple[Industry, ...]:
    """The 97 divisions in order, codes in full form (`C39`)."""
    return tuple(entry for code, entry in _table().items() if len(code) == 3)
