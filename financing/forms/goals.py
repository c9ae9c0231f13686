"""The system administrator's page on a goal; amounts are typed in 万元."""

from django import forms
from django.utils.translation import gettext_lazy as _

from financing.forms.service_checked import ServiceCheckedForm
from financing.models.goals import Goal
from sipo_portal.offices.models import BranchOffice
from sipo_portal.ui.fields import DayField, PlainIntegerField, WanField


class GoalForm(ServiceCheckedForm):
    office = forms.ModelChoiceField(
        label=_("Branch office"),
        queryset=BranchOffice.objects.filter(is_active=True).order_by("region__code", "name"),
        help_text=_("It answers for its region and everything below it."),
    )
    starts_on = DayField(label=_("First day"))
    ends_on = DayField(label=_("Last day"))
    business_count = PlainIntegerField(
        label=_("Businesses to reach"),
        help_text=_("With a completed loan or insurance in the period."),
    )
    amount = WanField(
        label=_("Amount (10,000 yuan)"),
        required=False,
        help_text=_("Money approved and disbursed, or sums insured. Empty: no goal for it."),
    )

    class Meta:
        model = Goal
        fields = ("office", "product", "starts_on", "ends_on", "business_count", "amount")
