"""The page on which insurers describe an insurance offer; checks what each field says by itself.

What the fields say together is checked by `services.insurance_terms`. Sums insured and capacity are
typed in 万元, premiums in yuan.
"""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from businesses.models.patents import PatentKind
from financing.forms.offers import OfferForm
from financing.models.insurance_offers import MOST_PERIOD_MONTHS, InsuranceOffer
from sipo_portal.ui.fields import PercentField, PlainIntegerField, WanField, YuanField

LONGEST_LIFE_MONTHS = 240


class InsuranceOfferForm(OfferForm):
    min_sum_insured = WanField(
        label=_("Least sum insured (10,000 yuan)"), help_text=_("For example 2 for 20,000 yuan.")
    )
    max_sum_insured = WanField(label=_("Most sum insured (10,000 yuan)"))
    period_months = PlainIntegerField(
        label=_("Period of cover (months)"), smallest=1, largest=MOST_PERIOD_MONTHS, initial=12
    )
    min_premium = YuanField(
        label=_("Minimum premium (yuan)"),
        required=False,
        help_text=_("Whatever the formula gives, the premium is not below this."),
    )
    base_premium = YuanField(label=_("Base premium (yuan)"), required=False)
    premium_per_patent = YuanField(label=_("For each patent (yuan)"), required=False)
    premium_rate_percent = PercentField(
        label=_("Rate (% of the sum insured)"),
        required=False,
        help_text=_("The premium is base + patents × amount each + rate × sum insured."),
    )
    excess_percent = PercentField(
        label=_("Excess (%)"),
        required=False,
        help_text=_("The part of a loss that the policyholder bears."),
    )
    accepted_kinds = forms.MultipleChoiceField(
        label=_("Patent kinds insured"),
        choices=PatentKind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        initial=[PatentKind.INVENTION, PatentKind.UTILITY_MODEL],
    )
    min_patents = PlainIntegerField(
        label=_("Fewest insurable patents"),
        largest=1000,
        initial=1,
        help_text=_("0 where the cover needs no patent of the business, as against liability."),
    )
    min_remaining_months = PlainIntegerField(
        label=_("Least remaining life (months)"), largest=LONGEST_LIFE_MONTHS, initial=36
    )
    capacity_amount = WanField(
        label=_("Capacity (sum insured, 10,000 yuan)"),
        help_text=_("What you are ready to insure under this offer in all."),
    )
    capacity_count = PlainIntegerField(
        label=_("Capacity (policies)"),
        required=False,
        help_text=_("Empty: as many policies as the amount allows."),
    )

    class Meta:
        model = InsuranceOffer
        fields = (
            "name",
            "description",
            "cover_kind",
            "accepts_licensee",
            "needs_co_owner_consent",
            "refuses_disputes",
        )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        # Parts of the premium left empty are not charged.
        for name in (
            "min_premium",
            "base_premium",
            "premium_per_patent",
            "premium_rate_percent",
            "excess_percent",
        ):
            if name in values and values[name] is None:
                values[name] = 0
        return values
