"""How amounts, rates and dates are written in each language; template tags and mails call it."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language

WAN = Decimal(10_000)
MILLION = Decimal(1_000_000)
NOTHING = "–"
# Digits: more than any column holds, so that no figure is too long to be written.
PRECISION = 60
# Between a figure and its unit: they stay on one line.
GLUE = "\u00a0"

Number = Decimal | int | float | str | None


def in_chinese() -> bool:
    return (get_language() or "zh").startswith("zh")


def decimal_of(value: Number) -> Decimal | None:
    """`value` as a finite Decimal; None for what is no number."""
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def grouped(number: Decimal, places: int) -> str:
    """With thousands separators and exactly `places` digits after the point."""
    with localcontext(prec=PRECISION):
        return f"{number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,f}"


def shortest(number: Decimal, places: int) -> str:
    """With thousands separators and at most `places` digits after the point."""
    text = grouped(number, places)
    return text.rstrip("0").rstrip(".") if "." in text else text


def yuan(value: Number) -> str:
    """To the fen: ``1,234,567.00 元``, in English ``CNY 1,234,567.00``."""
    number = decimal_of(value)
    if number is None:
        return NOTHING
    text = grouped(number, 2)
    return f"{text}{GLUE}元" if in_chinese() else f"CNY{GLUE}{text}"


def wan(value: Number) -> str:
    """`value` yuan, short: ``123.46 万元``; in English ``CNY 1.23 million`` or ``CNY 350,000``."""
    number = decimal_of(value)
    if number is None:
        return NOTHING
    if in_chinese():
        return f"{shortest(number / WAN, 2)}{GLUE}万元"
    if abs(number) >= MILLION:
        return f"CNY{GLUE}{shortest(number / MILLION, 2)}{GLUE}million"
    return f"CNY{GLUE}{shortest(number, 0)}"


def percent(value: Number, places: int = 3) -> str:
    """5.250 → ``5.25%``."""
    number = decimal_of(value)
    return NOTHING if number is None else f"{shortest(number, places)}%"


def rate(value: Number) -> str:
    """A percentage among others: always two digits after the point, 4.1 → ``4.10%``."""
    number = decimal_of(value)
    return NOTHING if number is None else f"{grouped(number, 2)}%"


def count(value: Number) -> str:
    """A whole number with thousands separators."""
    number = decimal_of(value)
    return NOTHING if number is None else grouped(number, 0)


def day(value: date | datetime | None) -> str:
    """``2026年3月3日``, in English ``3 March 2026``; moments as the day in China."""
    if not value:
        return NOTHING
    if isinstance(value, datetime):
        value = timezone.localtime(value) if timezone.is_aware(value) else value
    return date_format(value, "Y年n月j日" if in_chinese() else "j F Y", use_l10n=False)


def moment(value: datetime | None) -> str:
    """``2026年3月3日 14:05``, in English ``3 March 2026, 14:05``; Chinese standard time."""
    if not value:
        return NOTHING
    value = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{day(value)}{' ' if in_chinese() else ', '}{value:%H:%M}"
