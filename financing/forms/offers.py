"""What the pages of loan and insurance offers have in common; used by their forms."""

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from financing.forms.service_checked import ServiceCheckedForm
from financing.models.offers import REQUESTING_SIZE_CLASSES
from sipo_portal.offices.models import Region
from sipo_portal.ui.fields import DayField

SEPARATORS = re.compile(r"[\s,;、，；]+")
DIVISION_CODE = re.compile(r"\d{6}", re.ASCII)
INDUSTRY_CODE = re.compile(r"[A-Za-z]?\d{0,4}", re.ASCII)
MOST_CODES = 500


class CodesField(forms.CharField):
    """Codes typed one after another, with blanks, commas or line breaks between them."""

    widget = forms.Textarea(attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"})

    def __init__(self, *, form: re.Pattern[str], message: Any, **kwargs: Any) -> None:
        self.code_form, self.message = form, message
        super().__init__(max_length=MOST_CODES * 8, **kwargs)

    def clean(self, value: Any) -> list[str]:
        text = unicodedata.normalize("NFKC", super().clean(value))
        codes = [code for code in SEPARATORS.split(text) if code]
        wrong = [code for code in codes if not self.code_form.fullmatch(code)]
        if wrong:
            raise ValidationError(self.message, params={"codes": ", ".join(wrong[:10])})
        return list(dict.fromkeys(codes))

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial or []) != (data or ""))


class OfferForm(ServiceCheckedForm):
    """Whom an offer serves, and when it is open."""

    size_classes = forms.MultipleChoiceField(
        label=_("Size classes accepted"),
        choices=REQUESTING_SIZE_CLASSES,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one size class.")},
    )
    industries = CodesField(
        label=_("Industries accepted"),
        form=INDUSTRY_CODE,
        message=_("These are no industry codes: %(codes)s. Enter codes such as C, C39 or C3911."),
        required=False,
        help_text=_(
            "Codes of GB/T 4754-2017, with commas between them: a section (C), a division (C39), "
            "a group (C391) or a class (C3911). Empty: all industries."
        ),
    )
    provinces = forms.MultipleChoiceField(
        label=_("Provinces served"),
        choices=(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("A province includes everything below it. None chosen: the whole country."),
    )
    division_codes = CodesField(
        label=_("Prefectures and counties served"),
        form=DIVISION_CODE,
        message=_("These are no division codes: %(codes)s. A code has six digits, such as 320500."),
        required=False,
        help_text=_(
            "Six-digit codes of GB/T 2260, with commas between them, for a part of a province: "
            "320500 is Suzhou, 320505 its district Huqiu."
        ),
    )
    opens_on = DayField(label=_("First day"))
    closes_on = DayField(
        label=_("Last day"), required=False, help_text=_("Empty: until you close it.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        provinces = [(region.code, region.label) for region in Region.objects.provinces()]
        if "provinces" not in self.fields:
            return
        self.fields["provinces"].choices = provinces  # type: ignore[attr-defined]
        if self.instance.pk:
            codes = sorted(self.instance.regions.values_list("code", flat=True))
            known = {code for code, _label in provinces}
            self.initial["provinces"] = [code for code in codes if code in known]
            self.initial["division_codes"] = [code for code in codes if code not in known]


def offer_values(values: dict[str, Any]) -> dict[str, Any]:
    """The cleaned values as services take them: tuples, and all divisions as `regions`."""
    columns = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
        if name not in ("provinces", "division_codes")
    }
    return columns | {"regions": (*values["provinces"], *values["division_codes"])}
