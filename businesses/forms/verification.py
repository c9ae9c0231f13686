"""What a coordinator enters when deciding about a business or a patent."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sipo_portal.ui.fields import DayField
from sipo_portal.ui.forms import PortalFormHelper


class ReasonForm(forms.Form):
    """One reason. `submit` and `hint` say what it is for."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=2000,
        error_messages={"required": _("Give a reason.")},
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(
        self,
        *args: Any,
        submit: str | Promise,
        hint: str | Promise = "",
        danger: bool = False,
        cancel_url: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = str(hint)
        self.helper = PortalFormHelper(
            form=self, submit=submit, danger=danger, cancel_url=cancel_url
        )


class PatentVerificationForm(forms.Form):
    register_extract_on = DayField(
        label=_("Date of the register extract"),
        help_text=_("The day of the extract you compared this patent with."),
        error_messages={"required": _("Enter the date printed on the register extract.")},
    )

    def __init__(self, *args: Any, cancel_url: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"register_extract_on": timezone.localdate()})
        super().__init__(*args, **kwargs)
        self.helper = PortalFormHelper(
            form=self, submit=_("It agrees with the register"), cancel_url=cancel_url
        )

    def clean_register_extract_on(self) -> Any:
        day = self.cleaned_data["register_extract_on"]
        if day > timezone.localdate():
            raise ValidationError(_("This day lies in the future."))
        return day
