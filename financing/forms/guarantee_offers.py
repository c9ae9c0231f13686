"""The page on which guarantee companies describe a guarantee; what each field says by itself."""

from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from financing.forms.offers import OfferForm
from financing.models.guarantee_offers import GuaranteeOffer
from financing.models.loan_offers import LoanOffer
from sipo_portal.ui.fields import PercentField


class LoanOffersField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Published loan offers of all banks: what is published may be read by everybody."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.institution.label} · {obj.name}"


class GuaranteeOfferForm(OfferForm):
    share_percent = PercentField(
        label=_("Share of the principal guaranteed (%)"), help_text=_("Usually 50 to 80.")
    )
    fee_percent = PercentField(
        label=_("Yearly fee (% of the guaranteed amount)"),
        help_text=_("The business pays it each year in advance, from drawdown on."),
    )
    loss_guarantor = PercentField(label=_("You bear of a loss (%)"), required=False)
    loss_bank = PercentField(label=_("The bank bears (%)"), required=False)
    loss_insurer = PercentField(label=_("An insurer bears (%)"), required=False)
    loss_fund = PercentField(label=_("A public fund bears (%)"), required=False)
    loss_valuer = PercentField(label=_("The valuer bears (%)"), required=False)
    is_pledgee = forms.BooleanField(
        label=_("You take the pledge yourself"),
        required=False,
        help_text=_("The bank stays the creditor; you are registered as pledgee."),
    )
    loan_offers = LoanOffersField(
        label=_("Loan offers it attaches to"),
        queryset=LoanOffer.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = GuaranteeOffer
        fields = (
            "name",
            "description",
            "opens_on",
            "closes_on",
            "share_percent",
            "fee_percent",
            "is_pledgee",
            "loan_offers",
            "size_classes",
            "industries",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        live = LoanOffer.objects.live().values("pk")
        shown = Q(pk__in=live)
        if self.instance.pk:
            shown |= Q(guarantee_offers=self.instance)
            for bearer, percent in self.instance.loss_sharing.items():
                self.initial[f"loss_{bearer}"] = Decimal(str(percent))
        if "loan_offers" in self.fields:
            field: Any = self.fields["loan_offers"]
            field.queryset = (
                LoanOffer.objects.filter(shown)
                .select_related("institution")
                .order_by("institution__name", "name", "pk")
                .distinct()
            )
