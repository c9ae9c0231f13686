"""The valuation of a patent as its report says."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from businesses.models import Patent
from businesses.models.appraisals import AppraisalMethod
from sipo_portal.ui.fields import DayField, WanField
from sipo_portal.ui.forms import PortalFormHelper


class AppraisalForm(forms.Form):
    appraiser = forms.CharField(
        label=_("Appraiser"),
        max_length=200,
        help_text=_("The appraisal firm named in the report."),
        error_messages={"required": _("Enter the firm named in the report.")},
    )
    appraised_on = DayField(
        label=_("Appraised on"),
        help_text=_("The reference date of the valuation."),
        error_messages={"required": _("Enter the reference date of the report.")},
    )
    method = forms.ChoiceField(
        label=_("Method"),
        choices=AppraisalMethod.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the method named in the report.")},
    )
    appraised_value = WanField(
        label=_("Appraised value"),
        smallest=Decimal(100),
        decimal_places=6,
        error_messages={"required": _("Enter the value the report arrives at.")},
    )
    report_number = forms.CharField(label=_("Report number"), max_length=60, required=False)

    def __init__(self, *args: Any, patent: Patent, cancel_url: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.patent = patent
        self.helper = PortalFormHelper(
            form=self, submit=_("Add the appraisal"), cancel_url=cancel_url
        )

    def clean_appraised_on(self) -> Any:
        day = self.cleaned_data["appraised_on"]
        if day > timezone.localdate():
            raise ValidationError(_("This day lies in the future."))
        if day < self.patent.filed_on:
            raise ValidationError(_("This day lies before the filing of the patent."))
        return day
