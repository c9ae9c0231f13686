"""Form fields for figures as people type them; the apps' forms use them.

Full-width digits, thousands separators and units are read; what is no plain number gets a message
that says what to type. The values are `Decimal` (or `int`), never NaN or infinite.
"""

import re
import unicodedata
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from sipo_portal.ui import formats

PLAIN = re.compile(r"\d+(\.\d*)?|\.\d+", re.ASCII)
SEPARATED = re.compile(r"(\d{1,3}(,\d{3})+|\d{1,4}(,\d{4})+)(\.\d*)?", re.ASCII)
UNITS_BEFORE = re.compile(r"^(CNY|RMB|[¥￥])", re.IGNORECASE)
UNITS_BEHIND = re.compile(r"(元|人民币|CNY|RMB|%)$", re.IGNORECASE)
MINUS = "-−–"
# More is no figure but noise; keeps Decimal arithmetic cheap.
LONGEST = 40


def plain_number(text: str, *, in_wan: bool = False) -> str:
    """`text` without separators and units, in ASCII, a minus sign kept; `in_wan`: 万 is a unit too.

    Raises ValueError whose text is the code of a message.
    """
    if len(text) > LONGEST:
        raise ValueError("too_large")
    text = "".join(unicodedata.normalize("NFKC", text).split())
    text = UNITS_BEHIND.sub("", UNITS_BEFORE.sub("", text))
    if in_wan:
        text = text.removesuffix("万")
    sign, text = ("-", text[1:]) if text and text[0] in MINUS else ("", text)
    if SEPARATED.fullmatch(text):
        return sign + text.replace(",", "")
    if not PLAIN.fullmatch(text):
        raise ValueError("invalid")
    return sign + text


class FigureField(forms.DecimalField):
    """A figure with at most `decimal_places`; `unit` is shown behind the input."""

    widget = forms.TextInput
    unit: str | Promise = ""
    # What one typed unit is worth in the value: 10,000 for amounts typed in wan.
    scale = Decimal(1)
    inputmode = "decimal"
    default_error_messages = {
        "invalid": _("Enter a number in figures, for example 1250 or 1,250.5."),
        "negative": _("Enter 0 or more, without a minus sign."),
        "too_large": _("Enter a number of %(limit)s or less."),
        "too_small": _("Enter a number of %(limit)s or more."),
        "too_fine": ngettext_lazy(
            "Enter at most %(count)d digit after the decimal point.",
            "Enter at most %(count)d digits after the decimal point.",
            "count",
        ),
        "whole": _("Enter a whole number, without a decimal point."),
    }

    def __init__(
        self,
        *,
        largest: Decimal | int,
        smallest: Decimal | int = 0,
        decimal_places: int = 2,
        unit: str | Promise | None = None,
        **kwargs: Any,
    ) -> None:
        """`largest`, `smallest`: bounds of the value (yuan, percent), both allowed."""
        self.largest, self.smallest, self.places = (
            Decimal(largest),
            Decimal(smallest),
            decimal_places,
        )
        if unit is not None:
            self.unit = unit
        super().__init__(**kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {
            **super().widget_attrs(widget),
            "inputmode": self.inputmode,
            "autocomplete": "off",
            "maxlength": str(LONGEST),
        }

    def refuse(self, code: str, **params: Any) -> ValidationError:
        return ValidationError(self.error_messages[code], code=code, params=params)

    def shown(self, value: Decimal) -> str:
        return formats.shortest(value / self.scale, max(self.places, 0))

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values or (isinstance(value, str) and not value.strip()):
            return None
        try:
            text = plain_number(str(value), in_wan=self.scale == formats.WAN)
        except ValueError as error:
            raise self.refuse(str(error), limit=self.shown(self.largest))
        number = Decimal(text)
        if number < 0 <= self.smallest:
            raise self.refuse("negative")
        if len(text.partition(".")[2].rstrip("0")) > self.places:
            if self.places == 0:
                raise self.refuse("whole")
            raise self.refuse("too_fine", count=self.places)
        return number * self.scale

    def validate(self, value: Any) -> None:
        forms.Field.validate(self, value)
        if value is None:
            return
        if value > self.largest:
            raise self.refuse("too_large", limit=self.shown(self.largest))
        if value < self.smallest:
            raise self.refuse("too_small", limit=self.shown(self.smallest))

    def prepare_value(self, value: Any) -> Any:
        # Typed text is shown again as it was typed; stored values in the unit of the input.
        if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
            number = formats.decimal_of(value)
            return "" if number is None else formats.shortest(number / self.scale, self.places)
        return value


class YuanField(FigureField):
    """An amount typed in yuan; the value in yuan, to the fen."""

    unit = _("yuan")

    def __init__(self, *, largest: Decimal | int = 10**13, **kwargs: Any) -> None:
        super().__init__(largest=largest, **kwargs)


class WanField(FigureField):
    """An amount typed in 万元 (10,000 yuan); the value in yuan."""

    unit = _("10,000 yuan")
    scale = formats.WAN

    def __init__(self, *, largest: Decimal | int = 10**13, **kwargs: Any) -> None:
        super().__init__(largest=largest, **kwargs)


class PercentField(FigureField):
    """A percentage: 5.25 is 5.25 %."""

    unit = "%"

    def __init__(
        self, *, largest: Decimal | int = 100, decimal_places: int = 3, **kwargs: Any
    ) -> None:
        super().__init__(largest=largest, decimal_places=decimal_places, **kwargs)


class PlainIntegerField(FigureField):
    """A whole number of things; the value is an int."""

    inputmode = "numeric"

    def __init__(self, *, largest: Decimal | int = 2**31 - 1, **kwargs: Any) -> None:
        super().__init__(largest=largest, decimal_places=0, **kwargs)

    def clean(self, value: Any) -> Any:
        number = super().clean(value)
        return None if number is None else int(number)


class YearField(PlainIntegerField):
    """A year: four figures, shown without a separator."""

    def __init__(self, *, smallest: int = 1900, largest: int = 2999, **kwargs: Any) -> None:
        super().__init__(smallest=smallest, largest=largest, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return str(value) if isinstance(value, int) else super().prepare_value(value)


class ModelFigureField(FigureField):
    """The form field of a model's DecimalField in the admin: 0 or more, its number of digits."""

    def __init__(self, *, max_digits: int = 20, decimal_places: int = 2, **kwargs: Any) -> None:
        largest = Decimal(10) ** (max_digits - decimal_places) - Decimal(1).scaleb(-decimal_places)
        super().__init__(largest=largest, decimal_places=decimal_places, **kwargs)


class SignedIntegerField(forms.IntegerField):
    """A whole number that may be below 0, such as a spread of -20 basis points."""

    widget = forms.TextInput
    default_error_messages = {
        "invalid": _("Enter a whole number in figures, for example 50 or -20."),
    }

    def to_python(self, value: Any) -> int | None:
        if isinstance(value, str):
            value = "".join(unicodedata.normalize("NFKC", value).split()).lstrip("+")
            if value[:1] and value[0] in MINUS:
                value = f"-{value[1:]}"
            if len(value) > LONGEST:
                raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class DayField(forms.DateField):
    """A date with the browser's date input; typed dates in the usual Chinese shapes are read."""

    SHAPES = ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d"]
    default_error_messages = {
        "invalid": _("Enter a date as year-month-day, for example 2026-03-31.")
    }

    def __init__(self, **kwargs: Any) -> None:
        if not kwargs.get("widget"):
            kwargs["widget"] = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        super().__init__(input_formats=self.SHAPES, **kwargs)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = "".join(unicodedata.normalize("NFKC", value).split())
        return super().to_python(value)
