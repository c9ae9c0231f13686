"""What a lender chooses and types on a referral: reasons, questions, the terms it offers.

Used by the admin's steps only. What the figures mean together is checked by the services.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from financing.forms.reviews import ReasonForm
from financing.matching.tables import RequestKind
from financing.models.loan_offers import (
    DayCount,
    FeeKind,
    FeePayer,
    FeeTiming,
    RepaymentMethod,
)
from financing.models.matches import DecisionReason
from financing.rule_texts import citable_rules
from sipo_portal.ui.fields import DayField, PercentField, PlainIntegerField, YuanField
from sipo_portal.ui.forms import PortalFormHelper

DECLINING = [
    choice
    for choice in DecisionReason.choices
    if choice[0]
    in (
        DecisionReason.CRITERION_NOT_MET,
        DecisionReason.FACTS_DOUBTFUL,
        DecisionReason.INFORMATION_MISSING,
        DecisionReason.PATENT_NOT_SUITABLE,
        DecisionReason.BUSINESS_NOT_READY,
        DecisionReason.OUTSIDE_APPETITE,
        DecisionReason.OTHER,
    )
]
MORE_FEES = 2


class DeclineForm(ReasonForm):
    """A structured reason (DOMAIN 3), blind or later."""

    criterion = forms.ChoiceField(
        label=_("Criterion of your offer"),
        required=False,
        help_text=_(
            "If you name one, the pair may be proposed again once the figures it compares change. "
            "Without one your answer stands for good."
        ),
    )
    is_shown_to_business = forms.BooleanField(
        label=_("The business may read reason and explanation"), required=False, initial=True
    )
    field_order = ["reason", "criterion", "text", "is_shown_to_business"]

    def __init__(self, *args: Any, kind: RequestKind, cancel_url: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose a reason")),
            *DECLINING,
        ]
        self.fields["criterion"].choices = [  # type: ignore[attr-defined]
            ("", _("None")),
            *citable_rules(kind),
        ]
        self.fields["text"].help_text = _(
            "The branch office reads this; the business only if you allow it below."
        )
        self.helper = PortalFormHelper(
            *self.fields, submit=_("Decline the referral"), danger=True, cancel_url=cancel_url
        )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("reason") == DecisionReason.OTHER and not values.get("text", "").strip():
            self.add_error("text", _("Explain the reason in the text."))
        if values.get("reason") == DecisionReason.CRITERION_NOT_MET and (
            values.get("criterion") == ""
        ):
            self.add_error("criterion", _("Name the criterion that is not met."))
        return values


class QuestionForm(forms.Form):
    text = forms.CharField(
        label=_("What you need to know"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": _("Write what the business should tell or send you.")},
        help_text=_("The business reads this and answers with text and files."),
    )

    def __init__(self, *args: Any, cancel_url: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = PortalFormHelper("text", submit=_("Send the question"), cancel_url=cancel_url)


class FeeForm(forms.Form):
    """One row of fees; left empty it is no fee."""

    kind = forms.ChoiceField(
        label=_("Fee"), required=False, choices=[("", _("No fee")), *FeeKind.choices]
    )
    payer = forms.ChoiceField(label=_("Paid by"), choices=FeePayer.choices, required=False)
    timing = forms.ChoiceField(label=_("When"), choices=FeeTiming.choices, required=False)
    amount = YuanField(label=_("Amount (yuan)"), required=False)
    percent = PercentField(label=_("Or share of the principal (%)"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = _bare(self)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        has_figure = values.get("amount") is not None or values.get("percent") is not None
        if has_figure and not values.get("kind"):
            self.add_error("kind", _("Choose which fee this is, or empty its figures."))
        return values

    @property
    def is_a_fee(self) -> bool:
        """Something was chosen in a valid row."""
        return bool(self.cleaned_data.get("kind"))


class OfferedTermsForm(forms.Form):
    """What loans and insurances have in common."""

    amount = YuanField(label=_("Principal (yuan)"))
    term_months = PlainIntegerField(label=_("Term (months)"), smallest=1, largest=360)
    valid_until = DayField(
        label=_("Valid until"),
        help_text=_(
            "A working day. Until then the business may accept, and the amount is booked against "
            "the capacity of your offer."
        ),
    )
    conditions = forms.CharField(
        label=_("Conditions"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("What must be done or shown before the money goes out. The business reads it."),
    )
    # Rows that are forms of their own.
    parts: tuple[FeeForm, ...] = ()

    @property
    def has_errors(self) -> bool:
        """Here or in a row."""
        return bool(self.errors) or any(part.errors for part in self.parts)


class LoanTermsForm(OfferedTermsForm):
    interest_rate_percent = PercentField(label=_("Interest rate (% a year)"))
    repayment_method = forms.ChoiceField(label=_("Repayment"), choices=RepaymentMethod.choices)
    day_count = forms.ChoiceField(label=_("Day count"), choices=DayCount.choices)
    field_order = [
        "amount",
        "interest_rate_percent",
        "term_months",
        "repayment_method",
        "day_count",
        "valid_until",
        "conditions",
    ]

    def __init__(
        self,
        *args: Any,
        fees: Iterable[dict[str, Any]],
        posted_rate: str,
        cancel_url: str,
        **kwargs: Any,
    ) -> None:
        """`fees`: rows of the posted offer, shown first; `posted_rate`: its rate in words."""
        super().__init__(*args, **kwargs)
        self.fields["interest_rate_percent"].help_text = _("Posted: %(rate)s.") % {
            "rate": posted_rate
        }
        rows = [*fees, *([{}] * MORE_FEES)]
        self.parts = tuple(
            FeeForm(
                self.data if self.is_bound else None,
                prefix=f"fees_{number}",
                initial=row,
            )
            for number, row in enumerate(rows)
        )
        self.cancel_url = cancel_url
        self.helper = _bare(self)

    def is_valid(self) -> bool:
        # All of them, so that every message is shown at once.
        are_valid = [part.is_valid() for part in self.parts]
        return super().is_valid() and all(are_valid)


class PremiumTermsForm(OfferedTermsForm):
    premium = YuanField(label=_("Premium for the period (yuan)"))
    excess_percent = PercentField(
        label=_("Excess (%)"), help_text=_("The part of a loss that the policyholder bears.")
    )
    field_order = [
        "amount",
        "premium",
        "excess_percent",
        "term_months",
        "valid_until",
        "conditions",
    ]

    def __init__(self, *args: Any, posted: Decimal, cancel_url: str, **kwargs: Any) -> None:
        """`posted`: the premium of the posted tariff for what was proposed."""
        super().__init__(*args, **kwargs)
        self.fields["amount"].label = _("Sum insured (yuan)")
        self.fields["term_months"] = PlainIntegerField(
            label=_("Period of cover (months)"), smallest=1, largest=360
        )
        self.fields["conditions"].help_text = _(
            "What must be done or shown before the cover begins. The business reads it."
        )
        self.fields["premium"].help_text = _("By your posted tariff: %(premium)s yuan.") % {
            "premium": f"{posted:,.2f}"
        }
        self.order_fields(self.field_order)
        self.cancel_url = cancel_url
        self.helper = _bare(self)


def _bare(form: forms.Form) -> PortalFormHelper:
    """Fields only: the page has the summary of errors, the form element and the buttons."""
    helper = PortalFormHelper(*form.fields, tag=False, submit="")
    helper.form_show_errors = True
    return helper
