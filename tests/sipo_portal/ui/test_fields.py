"""Figures as people type them."""

from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.utils import translation

from sipo_portal.ui.fields import (
    DayField,
    PercentField,
    PlainIntegerField,
    WanField,
    YearField,
    YuanField,
    plain_number,
)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("3500000", "3500000"),
        ("3,500,000.50", "3500000.50"),
        ("３，５００，０００．５", "3500000.5"),
        (" 1 234 ", "1234"),
        ("350,0000", "3500000"),
        ("￥1,000元", "1000"),
        ("RMB 12.5", "12.5"),
        (".5", ".5"),
        ("0", "0"),
    ],
)
def test_yuan_are_read(typed: str, value: str) -> None:
    assert YuanField().clean(typed) == Decimal(value)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("NaN", "invalid"),
        ("sNaN", "invalid"),
        ("Infinity", "invalid"),
        ("1e309", "invalid"),
        ("1E5", "invalid"),
        ("0x10", "invalid"),
        ("1_000", "invalid"),
        ("三百万", "invalid"),
        ("350万", "invalid"),
        ("1,2", "invalid"),
        ("1,23,456", "invalid"),
        ("½", "invalid"),
        ("-1", "negative"),
        ("－１", "negative"),
        ("−1", "negative"),
        ("1.234", "too_fine"),
        ("99999999999999", "too_large"),
        ("9" * 400, "too_large"),
        ("", "required"),
        ("   ", "required"),
    ],
)
def test_what_is_no_amount_gets_a_message(typed: str, code: str) -> None:
    with pytest.raises(forms.ValidationError) as refused:
        YuanField().clean(typed)
    assert refused.value.code == code
    assert refused.value.messages[0]


def test_wan_are_stored_in_yuan_and_shown_in_wan() -> None:
    field = WanField()
    assert field.clean("350.5万元") == Decimal(3_505_000)
    assert field.prepare_value(Decimal("3505000.00")) == "350.5"
    assert field.prepare_value("三百") == "三百"  # what was typed stays
    assert not field.has_changed(Decimal("3505000.00"), "350.5")
    assert field.has_changed(Decimal("3505000.00"), "351")


def test_bounds_of_percent_and_counts() -> None:
    assert PercentField().clean("5.250%") == Decimal("5.25")
    assert PlainIntegerField().clean("１８") == 18
    assert isinstance(PlainIntegerField().clean("18"), int)
    for field, typed, code in (
        (PercentField(), "100.001", "too_large"),
        (PercentField(), "5.2501", "too_fine"),
        (PlainIntegerField(), "1.5", "whole"),
        (PlainIntegerField(smallest=1), "0", "too_small"),
        (PlainIntegerField(largest=120), "121", "too_large"),
    ):
        with pytest.raises(forms.ValidationError) as refused:
            field.clean(typed)
        assert refused.value.code == code, typed


def test_empty_is_none_where_it_may_be() -> None:
    assert YuanField(required=False).clean("") is None
    assert PlainIntegerField(required=False).clean(None) is None


def test_plain_number_keeps_the_sign_for_spreads() -> None:
    assert plain_number("-20") == "-20"
    assert PlainIntegerField(smallest=-500).clean("-20") == -20


@pytest.mark.parametrize(
    "typed", ["2026-03-31", "2026/3/31", "2026年3月31日", "２０２６－０３－３１"]
)
def test_days_are_read(typed: str) -> None:
    assert DayField().clean(typed).isoformat() == "2026-03-31"


def test_the_message_names_the_limit_in_the_unit_of_the_input() -> None:
    with translation.override("en"), pytest.raises(forms.ValidationError) as refused:
        WanField(largest=10_000_000).clean("1001")
    assert "1,000" in refused.value.messages[0]


def test_the_page_shows_unit_hint_and_message_at_the_input() -> None:
    from_page: dict[str, Any] = {"amount": "-1"}

    class AmountForm(forms.Form):
        amount = YuanField(label="Amount", help_text="In full.")

    form = AmountForm(from_page)
    assert not form.is_valid()
    assert 'aria-describedby="id_amount_helptext id_amount_error"' in str(form["amount"])
    assert 'aria-invalid="true"' in str(form["amount"])
    assert 'value="-1"' in str(form["amount"])


def test_a_year_is_shown_without_a_separator() -> None:
    field = YearField()
    assert field.prepare_value(2025) == "2025"
    assert field.clean("２０２５") == 2025
    with pytest.raises(forms.ValidationError):
        field.clean("20250")
