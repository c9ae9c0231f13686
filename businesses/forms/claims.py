"""Claiming a business that is registered already, and the coordinator's decision."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from businesses import identifier_texts
from businesses.credit_codes import stored_credit_code
from businesses.rules.identifiers import IdentifierError
from sipo_portal.ui.forms import PortalFormHelper


class ClaimForm(forms.Form):
    credit_code = forms.CharField(
        label=_("Unified social credit code"),
        max_length=40,
        help_text=_("18 characters, on your business licence."),
        error_messages={"required": _("Enter the code printed on your business licence.")},
    )
    explanation = forms.CharField(
        label=_("Why you act for this business"),
        max_length=2000,
        help_text=_("For example your position, and whom the branch office can ask."),
        error_messages={"required": _("Explain in a sentence or two why you act for it.")},
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def __init__(self, *args: Any, cancel_url: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = PortalFormHelper(
            form=self, submit=_("Send to the branch office"), cancel_url=cancel_url
        )

    def clean_credit_code(self) -> str:
        try:
            return stored_credit_code(self.cleaned_data["credit_code"], is_exact=True)
        except IdentifierError as error:
            raise ValidationError(identifier_texts.credit_code_fault(error), code=error.code)


class ClaimDecisionForm(forms.Form):
    decision = forms.ChoiceField(
        label=_("Decision"),
        choices=[
            ("accept", _("Accept: this person becomes a member")),
            ("refuse", _("Refuse")),
        ],
        error_messages={"required": _("Choose whether to accept or to refuse.")},
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=2000,
        required=False,
        help_text=_("Needed for a refusal; the claimant reads it."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = PortalFormHelper(form=self, submit=_("Save the decision"))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("decision") == "refuse" and not cleaned.get("reason"):
            self.add_error("reason", _("Give the reason: the claimant reads it."))
        return cleaned
