"""What an owner types into an insurance request, one form per topic; used by its views only."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from businesses.models import Business
from financing.models.insurance_offers import CoverKind
from sipo_portal.ui.fields import WanField, YuanField
from sipo_portal.ui.forms import PortalFormHelper

LEAST_SUM_INSURED = Decimal(10_000)
MOST_SUM_INSURED = Decimal(1_000_000_000)

# What each cover pays for, in the words of somebody who never bought one.
COVER_HINTS = {
    CoverKind.ENFORCEMENT: _(
        "Somebody copies your patent. Pays for finding it out, lawyers and court when you act."
    ),
    CoverKind.INFRINGEMENT_LOSS: _(
        "Somebody copies your patent. Pays part of the profit you lose through it."
    ),
    CoverKind.INFRINGEMENT_LIABILITY: _(
        "Somebody says that you use a patent of theirs. Pays damages and defence. You need no"
        " patent of your own."
    ),
    CoverKind.OVERSEAS_LIABILITY: _(
        "The same in other countries, for businesses that export or show at fairs abroad."
    ),
    CoverKind.PLEDGE_LOAN_GUARANTEE: _(
        "For a loan secured by your patents. Pays the lender if you cannot, so that it lends more"
        " easily."
    ),
}


class StartForm(forms.Form):
    """Which cover, and which of several businesses asks; `businesses` are those that may."""

    cover_kind = forms.ChoiceField(
        label=_("What do you want to insure against?"),
        choices=[(kind.value, kind.label) for kind in CoverKind],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what you want to insure against.")},
    )
    business = forms.ModelChoiceField(
        Business.objects.none(),
        label=_("Which business asks?"),
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={"required": _("Choose the business that asks.")},
    )

    def __init__(self, *args: Any, businesses: Any, cancel_url: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = ["cover_kind", "business"]
        self.fields["business"].queryset = businesses  # type: ignore[attr-defined]
        if len(businesses) == 1:
            # Nothing to choose.
            self.fields["business"].required = False
            names.remove("business")
        self.only_business = businesses[0] if len(businesses) == 1 else None
        self.helper = PortalFormHelper(*names, submit=_("Begin"), cancel_url=cancel_url)

    def clean_business(self) -> Any:
        return self.only_business or self.cleaned_data["business"]


class CoverForm(forms.Form):
    """The sum insured is typed in 万元, the premium in yuan; both are yuan in `cleaned_data`."""

    sum_insured = WanField(
        label=_("How much is to be insured?"),
        help_text=_(
            "The most the insurer pays in a year. Patent covers of small businesses are mostly"
            " between 20,000 and 1 million yuan."
        ),
        smallest=LEAST_SUM_INSURED,
        largest=MOST_SUM_INSURED,
        error_messages={"required": _("Enter how much is to be insured.")},
    )
    premium_limit = YuanField(
        label=_("Which premium do you accept at most? (yuan)"),
        required=False,
        help_text=_("For the whole period of cover. Leave it empty if you set no limit."),
    )

    def __init__(self, *args: Any, cancel_url: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = PortalFormHelper(
            "sum_insured", "premium_limit", submit=_("Save and continue"), cancel_url=cancel_url
        )

    def clean_premium_limit(self) -> Decimal | None:
        limit: Decimal | None = self.cleaned_data["premium_limit"]
        if limit is not None and limit <= 0:
            raise forms.ValidationError(_("Enter more than 0, or leave it empty for no limit."))
        return limit
