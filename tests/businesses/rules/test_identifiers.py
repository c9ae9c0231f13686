"""Patent numbers and credit codes: vectors, generated numbers, one refusal code per cause."""

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum.cn import uscc

from businesses.rules.identifiers import (
    ERROR_CODES,
    IdentifierError,
    credit_check_character,
    parse_credit_code,
    parse_patent_number,
    patent_check_digit,
)

TODAY = date(2026, 9, 1)
KINDS = {"发明": "invention", "实用新型": "utility_model", "外观设计": "design"}
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.mark.shared_data
def test_every_patent_vector_gets_its_verdict(shared_data: Path) -> None:
    wrong = []
    with (shared_data / "patent_number_vectors.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            try:
                number = parse_patent_number(row["input"], today=TODAY)
            except IdentifierError as error:
                if row["expected"] != "invalid":
                    wrong.append((row, error.code))
                continue
            right = row["expected"] != "invalid" and number.normal == row["normalised"]
            if row["patent_type"]:
                right = right and number.kind == KINDS[row["patent_type"]]
                right = right and number.filing_year == int(row["filing_year"])
            if not right:
                wrong.append((row, number))
    assert wrong == []


@pytest.mark.shared_data
def test_every_credit_code_vector_gets_its_verdict(shared_data: Path) -> None:
    wrong = []
    with (shared_data / "uscc_vectors.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            try:
                code = parse_credit_code(row["input"])
            except IdentifierError as error:
                if row["expected"] != "invalid":
                    wrong.append((row, error.code))
                continue
            if row["expected"] == "invalid" or code.normal != row["normalised"]:
                wrong.append((row, code))
    assert wrong == []


@pytest.mark.parametrize(
    "typed",
    [
        "201420634745.9",
        "2014206347459",
        "ZL201420634745.9",
        "zl 2014 2 0634745.9",
        "CN201420634745.9",
        "CN ZL 201420634745.9",
        "ZL.201420634745.9",
        "２０１４２０６３４７４５．９",
        "ＺＬ２０１４２０６３４７４５。９",
        "201420634745·9",
        "201420634745・9",
        "201420634745｡9",
        "\u3000201420634745.9\u00a0",
        "\ufeff201420634745.9",
        "专利号：ZL201420634745.9",
        "专利号ZL201420634745.9",
        "申请号:201420634745.9",
        "专利申请号： 201420634745.9",
        "申请（专利）号：CN201420634745.9",
        "Patent No. ZL201420634745.9",
        "Application No.: 201420634745.9",
        "No. 201420634745.9",
    ],
)
def test_one_number_however_it_is_typed(typed: str) -> None:
    number = parse_patent_number(typed, today=TODAY)
    assert (number.normal, number.kind, number.filing_year, number.is_pct) == (
        "201420634745.9",
        "utility_model",
        2014,
        False,
    )


@pytest.mark.parametrize(
    "typed", ["201520461438.x", "２０１５２０４６１４３８．Ｘ", "201520461438ｘ"]
)
def test_check_character_x_in_any_width_and_case(typed: str) -> None:
    assert parse_patent_number(typed, today=TODAY).normal == "201520461438.X"


@pytest.mark.parametrize("typed", ["02274781.8", "ZL02274781.8", "022747818", "cn 02 2 74781。8"])
def test_old_form_of_eight_digits(typed: str) -> None:
    number = parse_patent_number(typed, today=TODAY)
    assert (number.normal, number.kind, number.filing_year) == (
        "02274781.8",
        "utility_model",
        2002,
    )


def made(digits: str) -> str:
    return f"{digits}.{patent_check_digit(digits)}"


@pytest.mark.parametrize(
    ("digits", "kind", "year", "is_pct"),
    [
        ("03212345", "utility_model", 2003, False),
        ("200320112345", "utility_model", 2003, False),
        ("85100001", "invention", 1985, False),
        ("99800001", "invention", 1999, True),
        ("00900001", "utility_model", 2000, True),
        ("97190001", "invention", 1997, True),
        ("97110001", "invention", 1997, False),
        ("201680012345", "invention", 2016, True),
        ("201690012345", "utility_model", 2016, True),
        ("202630000001", "design", 2026, False),
        ("198510000001", "invention", 1985, False),
    ],
)
def test_kind_year_and_pct_are_read_from_the_digits(
    digits: str, kind: str, year: int, is_pct: bool
) -> None:
    number = parse_patent_number(made(digits), today=TODAY)
    assert (number.kind, number.filing_year, number.is_pct) == (kind, year, is_pct)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "empty"),
        (" \u3000", "empty"),
        ("ZL", "empty"),
        ("专利号：", "empty"),
        ("201710619371", "check_digit_missing"),
        ("201710619371.", "check_digit_missing"),
        ("02274781", "check_digit_missing"),
        ("201410056779.91", "wrong_length"),
        ("20142063474.9", "wrong_length"),
        ("1", "wrong_length"),
        ("201320178083.6", "check_digit"),
        ("201420634754.9", "check_digit"),
        ("2014206347X5.9", "bad_character"),
        ("2O1420634745.9", "bad_character"),
        ("201420634745-9", "bad_character"),
        ("2014206347.459", "bad_character"),
        ("②01420634745.9", "bad_character"),
        ("٢٠١٤٢٠٦٣٤٧٤٥.٩", "bad_character"),
        ("2.0142E+12", "bad_character"),
        (made("201500159845"), "unknown_type_digit"),
        (made("201640596643"), "unknown_type_digit"),
        (made("03412345"), "unknown_type_digit"),
        (made("203520938098"), "filing_year_out_of_range"),
        (made("202720938098"), "filing_year_out_of_range"),
        (made("198420938098"), "filing_year_out_of_range"),
        (made("84212345"), "filing_year_out_of_range"),
        (made("04212345"), "filing_year_out_of_range"),
        ("CN204567891U", "publication_number"),
        ("CN101234567B", "publication_number"),
        ("CN 101234567 A", "publication_number"),
        ("CN1234567C", "publication_number"),
        ("CN302345678S", "publication_number"),
        ("CN2123456Y", "publication_number"),
        ("CN3123456D", "publication_number"),
        ("cn109876543b", "publication_number"),
        ("授权公告号：CN204567891U", "publication_number"),
        ("公开号 CN101234567A", "publication_number"),
        ("PCT/CN2019/123456", "pct_number"),
        ("WO2019/123456", "pct_number"),
        ("WO2019123456A1", "pct_number"),
    ],
)
def test_each_cause_has_its_own_code(typed: str, code: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        parse_patent_number(typed, today=TODAY)
    assert caught.value.code == code
    assert caught.value.message
    assert caught.value.remedy


def test_this_years_filings_pass_and_next_years_do_not() -> None:
    number = made("202620000001")
    assert parse_patent_number(number, today=date(2026, 1, 1)).filing_year == 2026
    with pytest.raises(IdentifierError):
        parse_patent_number(number, today=date(2025, 12, 31))


new_digits = st.builds(
    lambda year, kind, serial: f"{year}{kind}{serial:07d}",
    st.integers(1985, 2026),
    st.sampled_from("12389"),
    st.integers(0, 9_999_999),
)
old_digits = st.builds(
    lambda year, kind, serial: f"{year % 100:02d}{kind}{serial:05d}",
    st.integers(1985, 2003),
    st.sampled_from("12389"),
    st.integers(0, 99_999),
)


@given(new_digits | old_digits)
def test_every_made_number_passes_and_its_normal_form_is_stable(digits: str) -> None:
    number = parse_patent_number(made(digits).replace(".", ""), today=TODAY)
    assert number.normal == made(digits)
    assert parse_patent_number(f"ZL {number.normal.lower()}", today=TODAY) == number


@given(new_digits | old_digits, st.data())
def test_one_changed_digit_is_always_found(digits: str, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(digits) - 1))
    other = data.draw(st.sampled_from("0123456789"))
    assume(other != digits[position])
    changed = f"{digits[:position]}{other}{digits[position + 1 :]}.{patent_check_digit(digits)}"
    with pytest.raises(IdentifierError):
        parse_patent_number(changed, today=TODAY)


@given(st.text(max_size=40))
def test_any_text_gets_a_number_or_a_code(text: str) -> None:
    codes = set()
    for parse in (parse_patent_number, parse_credit_code):
        try:
            parse(text)
        except IdentifierError as error:
            codes.add(error.code)
    assert codes <= ERROR_CODES


@pytest.mark.parametrize(
    "typed",
    [
        "91320213734394395P",
        " 91320213734394395p ",
        "９１３２０２１３７３４３９４３９５Ｐ",
        "9132 0213 7343 9439 5P",
        "统一社会信用代码：91320213734394395P",
        "社会信用代码:91320213734394395P",
    ],
)
def test_one_credit_code_however_it_is_typed(typed: str) -> None:
    code = parse_credit_code(typed)
    assert (code.normal, code.province_code) == ("91320213734394395P", "320000")


def made_code(division: str, organisation: str = "MA0000001") -> str:
    body = f"91{division}{organisation}"
    return body + credit_check_character(body)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "empty"),
        ("统一社会信用代码：", "empty"),
        ("320200400012345", "old_registration_number"),
        ("3202004000123", "old_registration_number"),
        ("73439439-5", "organisation_code"),
        ("734394395", "organisation_code"),
        ("9132021373439439P", "wrong_length"),
        ("91320213734394395P0", "wrong_length"),
        ("9132021373439439OP", "bad_character"),
        ("91320213-734394395", "bad_character"),
        ("91320213S34394395P", "bad_character"),
        ("91320213734394395Q", "check_digit"),
        ("91510100201920161Y", "check_digit"),
        (made_code("99999A"), "bad_character"),
        (made_code("160000"), "unknown_province"),
        (made_code("100001"), "unknown_province"),
        (made_code("991000"), "unknown_province"),
        (made_code("990000"), "demo_division"),
    ],
)
def test_each_refused_credit_code_has_its_own_code(typed: str, code: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        parse_credit_code(typed)
    assert caught.value.code == code


def test_county_only_warns_and_demo_needs_the_switch() -> None:
    assert parse_credit_code(made_code("320505")).warnings == ()
    retired = parse_credit_code(made_code("320503"))
    assert (retired.province_code, retired.warnings) == ("320000", ("unknown_county",))
    national = parse_credit_code(made_code("100000"))
    assert (national.province_code, national.warnings) == ("100000", ())
    demo = parse_credit_code(made_code("990000"), accept_demo=True)
    assert (demo.province_code, demo.warnings) == ("990000", ())


bodies = st.builds(
    lambda division, rest: f"91{division}{rest}",
    st.sampled_from(["110105", "320505", "440300", "650100", "310115"]),
    st.text(ALPHABET, min_size=9, max_size=9),
)


@given(bodies)
def test_check_character_agrees_with_stdnum(body: str) -> None:
    code = body + credit_check_character(body)
    assert uscc.is_valid(code)
    assert parse_credit_code(code.lower()).normal == code
    for other in set(ALPHABET) - {code[-1]}:
        with pytest.raises(IdentifierError):
            parse_credit_code(body + other)


def test_remainder_zero_gives_character_zero() -> None:
    # The case many published snippets break on: 31 - 0 is not a character.
    codes = [made_code("320505", f"MA00000{n:02d}") for n in range(90)]
    assert any(code.endswith("0") for code in codes)
    assert all(uscc.is_valid(code) for code in codes)
