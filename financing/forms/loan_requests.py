"""What an owner types into a loan request, one form per topic; used by its views only."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from businesses.models import Business, Patent
from financing.models.requests import Purpose
from sipo_portal.ui import formats
from sipo_portal.ui.fields import PercentField, PlainIntegerField, WanField
from sipo_portal.ui.forms import PortalFormHelper

LEAST_PRINCIPAL = Decimal(10_000)
MOST_PRINCIPAL = Decimal(1_000_000_000)
MOST_TERM_MONTHS = 360


class BusinessChoiceForm(forms.Form):
    """Which of several businesses asks; `businesses` are those that may."""

    business = forms.ModelChoiceField(
        Business.objects.none(),
        label=_("Which business asks for the loan?"),
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={"required": _("Choose the business that asks for the loan.")},
    )

    def __init__(self, *args: Any, businesses: Any, cancel_url: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["business"].queryset = businesses  # type: ignore[attr-defined]
        self.helper = PortalFormHelper("business", submit=_("Continue"), cancel_url=cancel_url)


class LoanForm(forms.Form):
    """Amounts are typed in 万元 and are yuan in `cleaned_data`."""

    principal = WanField(
        label=_("How much do you want to borrow?"),
        help_text=_(
            "Loans against patents are mostly below 10 million yuan (1,000 × 10,000 yuan)."
        ),
        smallest=LEAST_PRINCIPAL,
        largest=MOST_PRINCIPAL,
        error_messages={"required": _("Enter the amount you want to borrow.")},
    )
    least_accepted = WanField(
        label=_("How much would be enough to help?"),
        help_text=_(
            "An institution may lend less than you ask. Below this amount you do not want the loan."
            " The lower it is, the more offers fit."
        ),
        smallest=LEAST_PRINCIPAL,
        largest=MOST_PRINCIPAL,
        error_messages={"required": _("Enter the least amount that would still help.")},
    )
    term_months = PlainIntegerField(
        label=_("For how many months?"),
        help_text=_("Usual are 12 to 36 months. The patents must live longer than the loan."),
        unit=_("months"),
        smallest=1,
        largest=MOST_TERM_MONTHS,
        error_messages={"required": _("Enter the number of months.")},
    )
    max_apr_percent = PercentField(
        label=_("What is the dearest yearly cost you accept?"),
        required=False,
        largest=36,
        smallest=Decimal("0.001"),
        help_text=_("With interest and all fees. Leave it empty if you set no limit."),
    )

    def __init__(
        self,
        *args: Any,
        cancel_url: str,
        benchmark_percent: Decimal | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if benchmark_percent is not None:
            field = self.fields["max_apr_percent"]
            usual = _("The usual rate for small businesses is about %(rate)s a year now.")
            field.help_text = format_lazy(
                "{} {}",
                field.help_text,
                usual % {"rate": formats.percent(benchmark_percent, 2)},
            )
        self.helper = PortalFormHelper(
            "principal",
            "least_accepted",
            "term_months",
            "max_apr_percent",
            submit=_("Save and continue"),
            cancel_url=cancel_url,
        )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        principal, least = values.get("principal"), values.get("least_accepted")
        if principal is not None and least is not None and least > principal:
            self.add_error(
                "least_accepted",
                forms.ValidationError(
                    _("This must not be more than the amount you want to borrow, %(principal)s."),
                    params={"principal": formats.wan(principal)},
                ),
            )
        return values


class PatentsForm(forms.Form):
    """Which live patents of the business a request is about; the page draws the rows itself."""

    patents = forms.ModelMultipleChoiceField(
        Patent.objects.none(),
        label=_("Patents offered"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one patent."),
            "invalid_choice": _("One of the patents chosen cannot be offered. Choose again."),
        },
    )

    def __init__(self, *args: Any, patents: Any, is_needed: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["patents"].queryset = patents  # type: ignore[attr-defined]
        self.fields["patents"].required = is_needed


class PurposeForm(forms.Form):
    purpose = forms.ChoiceField(
        label=_("What is the money for?"),
        choices=Purpose.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what the money is for.")},
    )
    purpose_text = forms.CharField(
        label=_("In your own words"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_(
            "Two or three sentences help the people who decide: what you will buy or build, and"
            " what it brings in. Leave out names and telephone numbers."
        ),
    )

    def __init__(self, *args: Any, cancel_url: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = PortalFormHelper(
            "purpose", "purpose_text", submit=_("Save and continue"), cancel_url=cancel_url
        )


class AnswerForm(forms.Form):
    """What the business answers to a match that was returned to it."""

    text = forms.CharField(
        label=_("Your answer"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Say what you changed or added. The branch office reads this."),
        error_messages={"required": _("Write an answer.")},
    )

    def __init__(self, *args: Any, action: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = PortalFormHelper("text", submit=_("Send the answer"), action=action)


class OfferFilterForm(forms.Form):
    """Which of the live offers a page shows, and in which order; unknown values mean all."""

    outcome = forms.ChoiceField(
        label=_("Show"),
        required=False,
        choices=[
            ("", _("All offers")),
            ("fits", _("Offers that fit")),
            ("near", _("Offers that nearly fit")),
            ("refused", _("Offers that do not fit")),
        ],
    )
    sort = forms.ChoiceField(
        label=_("Order"),
        required=False,
        choices=[
            ("", _("Best fit first")),
            ("saving", _("Most saved first")),
            ("institution", _("By institution")),
        ],
    )
