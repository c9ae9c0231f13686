"""Size classes: edges of the table, missing figures, codes that span rows, an oracle."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from businesses.rules import industries
from businesses.rules.size_class import UnknownIndustry, classify
from businesses.rules.size_thresholds import ROWS

ORDER = ["micro", "small", "medium", "large"]


@pytest.mark.parametrize(
    ("industry", "figures", "expected", "indicator"),
    [
        ("C3911", (1000, 300, None), "small", "revenue_wan"),
        ("C", (19, 50000, None), "micro", "employees"),
        ("39", (20, 300, None), "small", "employees"),
        ("391", (300, 2000, None), "medium", "employees"),
        ("C39", (1000, 40000, None), "large", "employees"),
        ("C39", (1000, 39999, None), "medium", "revenue_wan"),
        ("A0111", (None, 50, None), "small", "revenue_wan"),
        ("A", (None, Decimal("49.99"), None), "micro", "revenue_wan"),
        ("E47", (None, 300, 299), "micro", "assets_wan"),
        ("E", (None, 80000, 80000), "large", "revenue_wan"),
        ("F51", (5, 1000, None), "small", "employees"),
        ("F5211", (10, 99, None), "micro", "revenue_wan"),
        ("G5910", (100, 1000, None), "small", "employees"),
        ("G5920", (100, 1000, None), "medium", "employees"),
        ("G592", (200, 30000, None), "large", "employees"),
        ("G60", (20, 100, None), "small", "employees"),
        ("I63", (2000, 99999, None), "medium", "revenue_wan"),
        ("I65", (10, 50, None), "small", "employees"),
        ("K7010", (5, 1000, 1999), "micro", "assets_wan"),
        ("K701", (5, 200000, 10000), "large", "revenue_wan"),
        ("K7020", (100, 499, 1), "micro", "revenue_wan"),
        ("K7030", (10, 1, 1), "small", "employees"),
        ("K7090", (300, None, None), "large", "employees"),
        ("L72", (10, None, 99), "micro", "assets_wan"),
        ("M", (100, None, None), "medium", "employees"),
        ("Q85", (9, None, None), "micro", "employees"),
        ("R90", (10, None, None), "small", "employees"),
    ],
)
def test_edges(industry: str, figures: tuple, expected: str, indicator: str) -> None:
    verdict = classify(industry, *figures)
    assert (verdict.size_class, verdict.indicator, verdict.provisional) == (
        expected,
        indicator,
        False,
    )
    assert verdict.group


@pytest.mark.parametrize(
    "industry", ["G53", "531", "J", "J66", "K7040", "704", "P", "83", "Q84", "S", "T", "97"]
)
def test_not_covered(industry: str) -> None:
    assert classify(industry, 5, 5, 5).size_class == "not_covered"


@pytest.mark.parametrize(
    ("figures", "expected", "provisional"),
    [
        ((19, None, None), "micro", False),
        ((None, 299, None), "micro", False),
        ((20, None, None), "small", True),
        ((None, 1999, None), "small", True),
        ((300, None, None), "undetermined", False),
        ((None, 50000, None), "undetermined", False),
        ((None, None, 50000), "undetermined", False),
        ((None, None, None), "undetermined", False),
    ],
)
def test_missing_figures(figures: tuple, expected: str, provisional: bool) -> None:
    verdict = classify("C39", *figures)
    assert (verdict.size_class, verdict.provisional) == (expected, provisional)
    assert (verdict.indicator is None) == (expected == "undetermined")


def test_codes_that_span_rows_need_all_rows_to_agree() -> None:
    assert classify("G", 5, 5, None).size_class == "micro"
    assert classify("G", 1000, 40000, None).size_class == "large"
    # 150 staff, 2,000: small in transport and post, medium in storage.
    assert classify("G", 150, 2000, None).size_class == "undetermined"
    assert classify("G59", 150, 2000, None).size_class == "undetermined"
    assert classify("K", 50, 5000, 5000).size_class == "undetermined"
    assert classify("K", 5, 5, 5).size_class == "micro"
    assert classify("K", 5, 5, 5).is_partly_covered
    assert classify("F", 5, 500, None).size_class == "micro"
    assert classify("F", 15, 1000, None).size_class == "small"
    assert classify("F", 15, 500, None).size_class == "undetermined"
    assert classify("H", 10, 100, None).size_class == "small"
    assert classify("Q", 5, None, None).is_partly_covered


@pytest.mark.parametrize(
    "bad", [-1, Decimal("-0.01"), Decimal("NaN"), Decimal("Infinity"), float("nan"), True, "5"]
)
def test_figures_that_are_none(bad: object) -> None:
    with pytest.raises(ValueError, match="revenue_wan must"):
        classify("C", 5, bad, None)  # type: ignore[arg-type]


def test_unknown_industry_is_a_typed_error() -> None:
    with pytest.raises(UnknownIndustry):
        classify("C99", 1, 1, 1)


def test_every_class_is_in_one_row_or_known_as_not_covered() -> None:
    uncovered = set()
    for section in industries.sections():
        for code in industries.classes(section.code):
            rows = [row for row in ROWS if any(code.startswith(p) for p in row.codes)]
            assert len(rows) <= 1
            if not rows:
                uncovered.add(code[:4] if code.startswith("K") else code[:3])
    assert uncovered == {
        "G53", "J66", "J67", "J68", "J69", "K704", "P83", "Q84",
        "S91", "S92", "S93", "S94", "S95", "S96", "T97",
    }  # fmt: skip


bounds = {
    edge
    for row in ROWS
    for bound in row.bounds
    for edge in (bound.small_from, bound.medium_from, bound.large_from)
}
known = st.sampled_from(sorted({b + d for b in bounds for d in (-1, 0, 1)}))
figures = st.none() | known


@pytest.mark.shared_data
def test_agrees_with_the_official_table_read_in_another_way(shared_data: Path) -> None:
    """Walks each row of the file top down ("every indicator at or above its bound, else next")."""
    with (shared_data / "enterprise_size_thresholds_2017.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    groups: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault((row["group"], row["gbt4754_codes"]), []).append(row)
    names = ("employees", "revenue_wan", "assets_wan")

    @given(st.sampled_from(sorted(groups)), st.tuples(*[known] * 3))
    def compare(group: tuple[str, str], values: tuple[int, int, int]) -> None:
        given_values = dict(zip(names, values, strict=True))
        expected = "micro"
        for tier in ("large", "medium", "small"):
            if all(given_values[r["indicator"]] >= int(r[f"{tier}_from"]) for r in groups[group]):
                expected = tier
                break
        for code in group[1].split(";"):
            assert classify(code, *values).size_class == expected

    compare()


@given(st.sampled_from([row.codes[0] for row in ROWS]), st.tuples(figures, figures, figures))
def test_a_missing_figure_never_contradicts_what_it_turns_out_to_be(
    code: str, values: tuple
) -> None:
    verdict = classify(code, *values)
    filled = [
        {
            classify(
                code, *(f if v is None else v for v, f in zip(values, fill, strict=True))
            ).size_class
        }
        for fill in ((0, 0, 0), (10**6, 10**6, 10**6))
    ]
    low, high = (ORDER.index(next(iter(f))) for f in filled)
    if verdict.size_class == "undetermined":
        assert low != high
    elif verdict.provisional:
        assert ORDER.index(verdict.size_class) == high
    else:
        assert low == high == ORDER.index(verdict.size_class)
