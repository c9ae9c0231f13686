"""Industry codes of GB/T 4754-2017 in every form people type them."""

import csv
from pathlib import Path

import pytest

from businesses.rules import industries
from businesses.rules.industries import UnknownIndustry


@pytest.mark.parametrize(
    ("typed", "full"),
    [
        ("C", "C"),
        ("c", "C"),
        ("39", "C39"),
        ("C39", "C39"),
        ("391", "C391"),
        ("C3911", "C3911"),
        ("3911", "C3911"),
        (" c3911 ", "C3911"),
        ("Ｃ３９１１", "C3911"),
        ("01", "A01"),
        ("A0111", "A0111"),
        ("701", "K701"),
        ("K7010", "K7010"),
    ],
)
def test_normal_form(typed: str, full: str) -> None:
    assert industries.normalise(typed) == full


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "U",
        "Z",
        "98",
        "00",
        "9",
        "D39",
        "K3911",
        "3919x",
        "39111",
        "705",
        "K7050",
        "C 39",
        "３",
        "C9",
        "٣٩",
    ],
)
def test_unknown_codes(typed: str) -> None:
    with pytest.raises(UnknownIndustry) as caught:
        industries.normalise(typed)
    assert caught.value.code == "unknown_industry"


def test_names_and_ancestors() -> None:
    assert industries.name("C39") == "计算机、通信和其他电子设备制造业"
    assert industries.name("C3911") == "计算机整机制造"
    assert industries.name("391") == industries.name("39")
    assert industries.name("C", "en") == "Manufacturing"
    assert industries.name("C3911", "en") == industries.name("C39", "en")
    assert industries.ancestors("3911") == ("C", "C39", "C391")
    assert industries.ancestors("C39") == ("C",)
    assert industries.ancestors("C") == ()
    assert industries.division("C3911") == "39"
    assert industries.division("C") is None


def test_sections_and_divisions_are_complete_in_both_languages() -> None:
    assert len(industries.sections()) == 20
    assert len(industries.divisions()) == 97
    for entry in (*industries.sections(), *industries.divisions()):
        assert entry.name_zh
        assert entry.name_en
        assert industries.classes(entry.code)


@pytest.mark.shared_data
def test_table_equals_the_standard(shared_data: Path) -> None:
    with (shared_data / "gbt4754_2017.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 20 + 97 + 1381
    for row in rows:
        assert industries.name(row["code"]) == row["name"]
        if row["level"] != "section":
            assert industries.ancestors(row["code"])[: 2 if row["level"] == "class" else 1][
                -1
            ].endswith(row["parent"])
