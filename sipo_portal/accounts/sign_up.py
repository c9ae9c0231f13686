"""The field the sign-up page has beyond allauth's; named in the settings."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class SignUpForm(forms.Form):
    """Base of allauth's sign-up form. No role is asked: whoever signs up is a business owner."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ["email", "name", "password1", "password2"]

    def signup(self, request: HttpRequest, user: Any) -> None:
        """Required by allauth; the adapter stores the name together with the account."""
