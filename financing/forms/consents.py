"""What an owner types to have a person asked for consent; used by the match page only."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from financing.models.person_consents import PersonRole
from sipo_portal.ui.forms import PortalFormHelper


class PersonForm(forms.Form):
    """Whom to ask (hidden: role and name as shared) and at which address."""

    role = forms.ChoiceField(choices=PersonRole.choices, widget=forms.HiddenInput)
    name = forms.CharField(max_length=80, widget=forms.HiddenInput)
    email = forms.EmailField(
        label=_("E-mail address of this person"),
        help_text=_("The person's own address: the link in the mail decides for them."),
        error_messages={"required": _("Enter the e-mail address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, action: str, is_again: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        submit = _("Send the link again") if is_again else _("Ask by mail")
        self.helper = PortalFormHelper("role", "name", "email", submit=submit, action=action)
