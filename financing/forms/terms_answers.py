"""What a business chooses and types about terms and money: declining, ending, confirming."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from financing.forms.reviews import TEXT_LENGTH, ReasonForm
from financing.models.matches import DecisionReason
from sipo_portal.ui.forms import PortalFormHelper


def _choices(*reasons: DecisionReason) -> list[tuple[str, Any]]:
    return [("", _("Choose a reason")), *((each.value, each.label) for each in reasons)]


DECLINING = _choices(
    DecisionReason.TOO_DEAR,
    DecisionReason.AMOUNT_TOO_LOW,
    DecisionReason.CONDITIONS_UNACCEPTABLE,
    DecisionReason.BETTER_ALTERNATIVE,
    DecisionReason.NO_LONGER_NEEDED,
    DecisionReason.OTHER,
)
FALLING_THROUGH = _choices(
    DecisionReason.CONDITIONS_UNMET,
    DecisionReason.CONDITIONS_UNACCEPTABLE,
    DecisionReason.INFORMATION_MISSING,
    DecisionReason.NO_LONGER_NEEDED,
    DecisionReason.OTHER,
)


class _EndingForm(ReasonForm):
    """A reason out of `reasons`, its text mandatory where it says nothing alone."""

    def __init__(
        self,
        *args: Any,
        reasons: list[tuple[str, Any]],
        submit: Any,
        cancel_url: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].choices = reasons  # type: ignore[attr-defined]
        self.fields["text"].help_text = _("The institution and the branch office read this.")
        self.helper = PortalFormHelper(
            *self.fields, submit=submit, danger=True, cancel_url=cancel_url
        )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("reason") == DecisionReason.OTHER and not values.get("text", "").strip():
            self.add_error("text", _("Explain the reason in the text."))
        return values


class DeclineTermsForm(_EndingForm):
    def __init__(self, *args: Any, cancel_url: str, **kwargs: Any) -> None:
        super().__init__(
            *args,
            reasons=DECLINING,
            submit=_("Decline the terms"),
            cancel_url=cancel_url,
            **kwargs,
        )


class FallThroughForm(_EndingForm):
    """Of either side: the institution's staff use it in the admin."""

    def __init__(self, *args: Any, cancel_url: str, **kwargs: Any) -> None:
        super().__init__(
            *args,
            reasons=FALLING_THROUGH,
            submit=_("End the agreement"),
            cancel_url=cancel_url,
            **kwargs,
        )


class DeliveryForm(forms.Form):
    is_as_agreed = forms.ChoiceField(
        label=_("Did you get what was agreed?"),
        choices=[("yes", _("Yes, as agreed")), ("no", _("No, something differed"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of the two.")},
    )
    text = forms.CharField(
        label=_("What differed"),
        required=False,
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Amount, rate, fees, day: only where something differed."),
    )

    def __init__(self, *args: Any, action: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"auto_id": "delivery_%s"})
        self.helper = PortalFormHelper(*self.fields, submit=_("Confirm"), action=action)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("is_as_agreed") == "no" and not values.get("text", "").strip():
            self.add_error("text", _("Write what differed."))
        return values
