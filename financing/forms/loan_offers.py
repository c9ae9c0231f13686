"""The page on which lender staff describe a loan offer; checks what each field says by itself.

What the fields say together is checked by `services.offer_terms`. Amounts are typed in 万元.
"""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.forms.models import BaseInlineFormSet
from django.utils.translation import gettext_lazy as _

from businesses.models.certificates import CertificateKind
from financing.forms.offers import OfferForm
from financing.forms.service_checked import ServiceCheckedForm
from financing.models.loan_offers import (
    AcceptedPatentKind,
    CollateralLimit,
    LoanOffer,
    LoanOfferFee,
)
from sipo_portal.ui.fields import (
    PercentField,
    PlainIntegerField,
    SignedIntegerField,
    WanField,
    YuanField,
)

LONGEST_LIFE_MONTHS = 240


class LoanOfferForm(OfferForm):
    min_principal = WanField(
        label=_("Least principal (10,000 yuan)"), help_text=_("For example 10 for 100,000 yuan.")
    )
    max_principal = WanField(label=_("Most principal (10,000 yuan)"))
    min_term_months = PlainIntegerField(
        label=_("Shortest term (months)"), smallest=1, largest=360, initial=1
    )
    max_term_months = PlainIntegerField(label=_("Longest term (months)"), smallest=1, largest=360)
    interest_rate_percent = PercentField(
        label=_("Fixed interest rate (% a year)"),
        required=False,
        help_text=_("Only for a fixed rate, for example 3.45."),
    )
    spread_bp = SignedIntegerField(
        label=_("Spread over the LPR (basis points)"),
        required=False,
        min_value=-2000,
        max_value=2000,
        help_text=_("Only for an LPR rate. 45 is the LPR plus 0.45 points, -20 is 0.20 below it."),
    )
    collateral_share_percent = PercentField(
        label=_("Share of the principal the patents must cover (%)"),
        required=False,
        help_text=_("Only where the patents must cover a share of the principal."),
    )
    unappraised_limit = WanField(
        label=_("Limit without an appraisal (10,000 yuan)"),
        required=False,
        help_text=_(
            "Up to this amount you take patents without a usable appraisal, on condition that one "
            "is made. Empty: you do not take them."
        ),
    )
    appraisal_fee = YuanField(
        label=_("What the appraisal costs the borrower (yuan)"),
        required=False,
        help_text=_("Counts as a cost of the loan where an appraisal is still needed."),
    )
    max_appraisal_age_months = PlainIntegerField(
        label=_("Oldest appraisal accepted (months)"),
        smallest=1,
        largest=120,
        required=False,
        help_text=_("Empty: any age."),
    )
    min_patents = PlainIntegerField(label=_("Fewest patents"), smallest=1, largest=1000, initial=1)
    life_margin_months = PlainIntegerField(
        label=_("Patent life beyond the term (months)"),
        largest=LONGEST_LIFE_MONTHS,
        initial=0,
        help_text=_("How long a patent must still live when the loan ends."),
    )
    min_operating_months = PlainIntegerField(
        label=_("Shortest operating history (months)"), largest=1200, initial=0
    )
    required_certificates = forms.MultipleChoiceField(
        label=_("Certificates required"),
        choices=CertificateKind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The business must hold every one you tick. None ticked: no certificate."),
    )
    capacity_amount = WanField(
        label=_("Capacity (10,000 yuan)"),
        help_text=_("What you are ready to lend under this offer in all."),
    )
    capacity_count = PlainIntegerField(
        label=_("Capacity (loans)"),
        required=False,
        help_text=_("Empty: as many loans as the amount allows."),
    )

    class Meta:
        model = LoanOffer
        fields = (
            "name",
            "description",
            "rate_basis",
            "repayment_method",
            "day_count",
            "collateral_basis",
        )

    def clean_appraisal_fee(self) -> Any:
        return self.cleaned_data["appraisal_fee"] or 0


class PartFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """Rows of a table; doubles are the service's matter, which names the row."""

    def validate_unique(self) -> None:
        """See above."""

    def rows(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """(place on the page, cleaned values) of every row that is filled and not to be deleted."""
        for form in self.forms:
            values = form.cleaned_data
            is_empty = not form.has_changed() and not form.instance.pk
            if values and not is_empty and not values.get("DELETE"):
                yield str(form.prefix), values


class AcceptedPatentKindForm(ServiceCheckedForm):
    loan_to_value_percent = PercentField(
        label=_("Loan-to-value (%)"),
        required=False,
        help_text=_("Usually 25 to 50 for inventions, 15 to 30 for utility models."),
    )
    min_remaining_months = PlainIntegerField(
        label=_("Least remaining life (months)"),
        largest=LONGEST_LIFE_MONTHS,
        required=False,
        help_text=_("Whatever the term. Empty: no least."),
    )

    class Meta:
        model = AcceptedPatentKind
        fields = ("kind", "loan_to_value_percent", "min_remaining_months")

    def clean_loan_to_value_percent(self) -> Any:
        return self.cleaned_data["loan_to_value_percent"] or 0

    def clean_min_remaining_months(self) -> Any:
        return self.cleaned_data["min_remaining_months"] or 0


class CollateralLimitForm(ServiceCheckedForm):
    min_patents = PlainIntegerField(
        label=_("From this number of patents"), smallest=1, largest=1000
    )
    limit_amount = WanField(label=_("Limit (10,000 yuan)"))

    class Meta:
        model = CollateralLimit
        fields = ("min_patents", "limit_amount")


class LoanOfferFeeForm(ServiceCheckedForm):
    amount = YuanField(label=_("Amount (yuan)"), required=False)
    percent = PercentField(label=_("Or share of the principal (%)"), required=False)

    class Meta:
        model = LoanOfferFee
        fields = ("kind", "payer", "timing", "amount", "percent")
