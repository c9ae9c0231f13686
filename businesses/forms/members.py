"""Asking somebody to act for a business."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sipo_portal.ui.forms import PortalFormHelper


class InvitationForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail address"),
        help_text=_("The address the person signs in with, now or later."),
        error_messages={"required": _("Enter the person's e-mail address.")},
    )

    def __init__(self, *args: Any, cancel_url: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = PortalFormHelper(form=self, submit=_("Invite"), cancel_url=cancel_url)

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).strip().lower()
