"""What a coordinator chooses and types in the review; used by its views only."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from businesses.models.businesses import SizeClass
from financing.matching.tables import RequestKind
from financing.models.matches import DecisionReason
from financing.rule_texts import citable_rules
from sipo_portal.offices.models import Region
from sipo_portal.ui.forms import PortalFormHelper

TEXT_LENGTH = 2000
REJECTING = [choice for choice in DecisionReason.choices if choice[0] != DecisionReason.FITS]
RETURNING = [
    choice
    for choice in DecisionReason.choices
    if choice[0]
    in (
        DecisionReason.INFORMATION_MISSING,
        DecisionReason.FACTS_DOUBTFUL,
        DecisionReason.PATENT_NOT_SUITABLE,
        DecisionReason.BUSINESS_NOT_READY,
        DecisionReason.OTHER,
    )
]


class QueueFilterForm(forms.Form):
    """Which part of the queue is shown; unknown values are refused and mean all."""

    search = forms.CharField(label=_("Name of the business"), required=False, max_length=200)
    region = forms.ChoiceField(label=_("Region"), required=False)
    size_class = forms.ChoiceField(
        label=_("Size class"),
        required=False,
        choices=[
            ("", _("All sizes")),
            (SizeClass.MICRO.value, SizeClass.MICRO.label),
            (SizeClass.SMALL.value, SizeClass.SMALL.label),
        ],
    )
    show = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, regions: list[Region], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region"].choices = [  # type: ignore[attr-defined]
            ("", _("All regions")),
            *((region.scope_prefix, region.label) for region in regions),
        ]


class ApproveForm(forms.Form):
    """`numbers`: of the patents whose register extract is missing or too old; none: no question."""

    has_compared = forms.BooleanField(
        label=_("I compared these patents with the register today"),
        error_messages={
            "required": _("Compare the patents with the register today, then tick this box.")
        },
    )
    text = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The business reads it. The institution does not."),
    )

    def __init__(self, *args: Any, numbers: list[str], action: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"auto_id": "approve_%s"})
        if numbers:
            self.fields["has_compared"].help_text = ", ".join(f"ZL{each}" for each in numbers)
        else:
            del self.fields["has_compared"]
        self.helper = PortalFormHelper(*self.fields, submit=_("Approve and refer"), action=action)
        self.helper.form_id = "approve"


class ReasonForm(forms.Form):
    """A structured reason (DOMAIN 3)."""

    reason = forms.ChoiceField(
        label=_("Reason"), error_messages={"required": _("Choose the reason.")}
    )
    text = forms.CharField(
        label=_("Explanation"),
        required=False,
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class RejectForm(ReasonForm):
    criterion = forms.ChoiceField(
        label=_("Criterion"),
        required=False,
        help_text=_(
            "If you name one, the pair may be proposed again once the figures it compares change."
        ),
    )
    is_shown_to_business = forms.BooleanField(
        label=_("The business may read reason and explanation"), required=False, initial=True
    )
    field_order = ["reason", "criterion", "text", "is_shown_to_business"]

    def __init__(self, *args: Any, kind: RequestKind, action: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"auto_id": "reject_%s"})
        self.fields["criterion"].choices = [  # type: ignore[attr-defined]
            ("", _("None: this decision stands for good")),
            *citable_rules(kind),
        ]
        self.fields["reason"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose a reason")),
            *REJECTING,
        ]
        self.helper = PortalFormHelper(
            *self.fields, submit=_("Reject the match"), danger=True, action=action
        )
        self.helper.form_id = "reject"

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        reason = values.get("reason")
        if reason == DecisionReason.OTHER and not values.get("text", "").strip():
            self.add_error("text", _("Explain the reason in the text."))
        if reason == DecisionReason.CRITERION_NOT_MET and values.get("criterion") == "":
            self.add_error("criterion", _("Name the criterion that is not met."))
        return values


class ReturnForm(ReasonForm):
    def __init__(self, *args: Any, action: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"auto_id": "return_%s"})
        self.fields["reason"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose a reason")),
            *RETURNING,
        ]
        text = self.fields["text"]
        text.required = True
        text.label = _("What the business should add or change")
        text.error_messages["required"] = _("Write what the business should add or change.")
        text.help_text = _("The business reads this and answers here.")
        self.helper = PortalFormHelper(
            *self.fields, submit=_("Return to the business"), action=action
        )
        self.helper.form_id = "return"
