"""Amounts, rates and dates in both languages."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from sipo_portal.ui import formats


@pytest.mark.parametrize(
    ("call", "value", "chinese", "english"),
    [
        (formats.yuan, Decimal("1234567"), "1,234,567.00 元", "CNY 1,234,567.00"),
        (formats.yuan, "0.005", "0.01 元", "CNY 0.01"),
        (formats.yuan, None, "–", "–"),
        (formats.yuan, "NaN", "–", "–"),
        (formats.wan, Decimal(3500000), "350 万元", "CNY 3.5 million"),
        (formats.wan, Decimal("1234567.89"), "123.46 万元", "CNY 1.23 million"),
        (formats.wan, Decimal(350000), "35 万元", "CNY 350,000"),
        (formats.wan, Decimal(10**9), "100,000 万元", "CNY 1,000 million"),
        (formats.percent, Decimal("5.250"), "5.25%", "5.25%"),
        (formats.percent, Decimal("100"), "100%", "100%"),
        (formats.rate, Decimal("4.1"), "4.10%", "4.10%"),
        (formats.count, 12345, "12,345", "12,345"),
        (formats.day, date(2026, 3, 3), "2026年3月3日", "3 March 2026"),
        (formats.day, None, "–", "–"),
        (
            formats.moment,
            datetime(2026, 3, 2, 18, 5, tzinfo=UTC),
            "2026年3月3日 02:05",
            "3 March 2026, 02:05",
        ),
    ],
)
def test_formats(call: Any, value: Any, chinese: str, english: str) -> None:
    with translation.override("zh-hans"):
        assert call(value).replace("\u00a0", " ") == chinese
    with translation.override("en"):
        assert call(value).replace("\u00a0", " ") == english
