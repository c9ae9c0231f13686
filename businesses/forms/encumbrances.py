"""What lies on a patent outside this portal, and its release."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from businesses.models import Encumbrance, Patent
from businesses.models.encumbrances import EncumbranceKind
from sipo_portal.ui.fields import DayField
from sipo_portal.ui.forms import PortalFormHelper


class EncumbranceForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=EncumbranceKind.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what lies on the patent.")},
    )
    holder = forms.CharField(
        label=_("In whose favour"),
        max_length=200,
        help_text=_("The bank, licensee, court or buyer named in the register."),
        error_messages={"required": _("Enter the name in the register.")},
    )
    registered_on = DayField(
        label=_("Registered on"),
        error_messages={"required": _("Enter the day of registration.")},
    )
    releases_on = DayField(
        label=_("To be released on"),
        required=False,
        help_text=_("If agreed: the day it will end."),
    )

    def __init__(self, *args: Any, patent: Patent, cancel_url: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.patent = patent
        self.helper = PortalFormHelper(form=self, submit=_("Add"), cancel_url=cancel_url)

    def clean_registered_on(self) -> Any:
        day = self.cleaned_data["registered_on"]
        if day > timezone.localdate():
            raise ValidationError(_("This day lies in the future."))
        if day < self.patent.filed_on:
            raise ValidationError(_("This day lies before the filing of the patent."))
        return day

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        begins, ends = cleaned.get("registered_on"), cleaned.get("releases_on")
        if begins and ends and ends < begins:
            self.add_error("releases_on", _("It cannot be released before it was registered."))
        return cleaned


class ReleaseForm(forms.Form):
    released_on = DayField(
        label=_("Released on"),
        error_messages={"required": _("Enter the day of release in the register.")},
    )

    def __init__(
        self, *args: Any, encumbrance: Encumbrance, cancel_url: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.encumbrance = encumbrance
        self.helper = PortalFormHelper(
            form=self, submit=_("Record the release"), cancel_url=cancel_url
        )

    def clean_released_on(self) -> Any:
        day = self.cleaned_data["released_on"]
        if day > timezone.localdate():
            raise ValidationError(_("This day lies in the future."))
        if day < self.encumbrance.registered_on:
            raise ValidationError(_("It cannot be released before it was registered."))
        return day
