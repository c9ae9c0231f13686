"""What a coordinator supposes in a what-if run; the run pages use it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from financing.models.policies import MatchingPolicy
from financing.suppositions import Supposition
from sipo_portal.ui import formats
from sipo_portal.ui.fields import FigureField, PlainIntegerField, WanField
from sipo_portal.ui.forms import PortalFormHelper, Section

FIGURES = (
    "loan_coverage_value",
    "insurance_coverage_value",
    "alternative_share",
    "proposals_per_request",
)
MOST_PROPOSALS = 10


class WhatIfForm(forms.Form):
    """Empty fields leave things as they are. `offers`: key and label of each live offer."""

    loan_coverage_value = WanField(
        label=_("Worth of reaching one more business by a loan (10,000 yuan)"), required=False
    )
    insurance_coverage_value = WanField(
        label=_("Worth of reaching one more business by insurance (10,000 yuan)"), required=False
    )
    alternative_share = FigureField(
        label=_("Share at which alternatives count (0 to 1)"),
        required=False,
        largest=1,
        decimal_places=3,
    )
    proposals_per_request = PlainIntegerField(
        label=_("Most proposals per request"),
        required=False,
        smallest=1,
        largest=MOST_PROPOSALS,
    )
    capacity_offer = forms.ChoiceField(label=_("Offer with another capacity"), required=False)
    capacity = WanField(label=_("Its capacity (10,000 yuan)"), required=False)
    without = forms.ChoiceField(label=_("Offer left out"), required=False)

    def __init__(
        self,
        *args: Any,
        policy: MatchingPolicy,
        offers: Sequence[tuple[str, str]],
        cancel_url: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.policy = policy
        for name in FIGURES:
            self.fields[name].help_text = _now(name, getattr(policy, name))
        for name in ("capacity_offer", "without"):
            self.fields[name].choices = [("", _("None")), *offers]  # type: ignore[attr-defined]
        self.helper = PortalFormHelper(
            Section(_("The policy"), *FIGURES, lead=_("Empty: as it is now.")),
            Section(_("The offers"), "capacity_offer", "capacity", "without"),
            submit=_("See what would change"),
            cancel_url=cancel_url,
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        offer, capacity = cleaned.get("capacity_offer"), cleaned.get("capacity")
        if offer and capacity is None and "capacity" not in self.errors:
            self.add_error("capacity", _("Say how much capacity this offer shall have."))
        if capacity is not None and not offer and "capacity_offer" not in self.errors:
            self.add_error("capacity_offer", _("Choose the offer that shall have this capacity."))
        if offer and offer == cleaned.get("without"):
            self.add_error("without", _("An offer left out has no other capacity: choose one."))
        return cleaned

    def supposition(self) -> Supposition:
        """What is supposed to be otherwise than it is."""
        cleaned: Mapping[str, Any] = self.cleaned_data
        figures = {
            name: str(cleaned[name])
            for name in FIGURES
            if cleaned[name] is not None and cleaned[name] != getattr(self.policy, name)
        }
        offer = cleaned["capacity_offer"]
        return Supposition(
            policy=figures,
            capacities={offer: str(cleaned["capacity"])} if offer else {},
            without=(cleaned["without"],) if cleaned["without"] else (),
        )


def _now(name: str, value: Decimal | int) -> str:
    shown = formats.wan(value) if name.endswith("coverage_value") else formats.decimal_of(value)
    return str(_("Now: %(value)s")) % {
        "value": formats.shortest(shown, 3) if isinstance(shown, Decimal) else shown
    }
