"""What a lender types between acceptance and repayment: pledges, drawdowns; the admin's steps."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from financing.models.institutions import Institution
from financing.models.pledges import Pledge
from financing.pledge_contracts import PledgeContract
from sipo_portal.ui.fields import DayField, YuanField
from sipo_portal.ui.forms import PortalFormHelper, Section

NUMBER_LENGTH = 40
SCOPE_LENGTH = 500
CONTRACT_FIELDS = ("signed_on", "secured_amount", "debt_ends_on", "secured_scope")


class PledgesForm(forms.Form):
    """One part per pledge, named by its id; a part left empty is left as it is."""

    def __init__(
        self, *args: Any, pledges: Sequence[Pledge], submit: Any, cancel_url: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.pledges = list(pledges)
        sections = []
        for pledge in self.pledges:
            names = []
            for name, field in self.fields_of(pledge).items():
                self.fields[f"{name}_{pledge.pk}"] = field
                names.append(f"{name}_{pledge.pk}")
            legend = f"ZL{pledge.application_number}"
            sections.append(Section(legend, *names, lead=pledge.patent.title))
        sections = [*self.first_sections(), *sections]
        self.helper = PortalFormHelper(*sections, submit=submit, cancel_url=cancel_url)

    def first_sections(self) -> list[Section]:
        """What is said once for all pledges; a class that has any adds their fields here."""
        return []

    def fields_of(self, pledge: Pledge) -> dict[str, forms.Field]:
        raise NotImplementedError

    def values_of(self, pledge: Pledge) -> dict[str, Any]:
        """What was typed for one pledge, by name without its id."""
        ending = f"_{pledge.pk}"
        return {
            name.removesuffix(ending): value
            for name, value in self.cleaned_data.items()
            if name.endswith(ending)
        }

    def filled(self) -> list[tuple[Pledge, dict[str, Any]]]:
        """The pledges something was typed for."""
        pairs = [(pledge, self.values_of(pledge)) for pledge in self.pledges]
        return [(pledge, values) for pledge, values in pairs if any(values.values())]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.errors and not self.filled():
            raise forms.ValidationError(_("Fill in at least one patent."))
        return values


class RegistrationForm(PledgesForm):
    """The pledge contract once, then number and day of the register for each planned pledge."""

    def __init__(
        self, *args: Any, contract: PledgeContract, pledgees: Sequence[Institution], **kwargs: Any
    ) -> None:
        """`contract`: the values proposed; `pledgees`: who may take the pledges."""
        self.proposed, self.pledgees = contract, {str(each.pk): each for each in pledgees}
        super().__init__(*args, **kwargs)

    def first_sections(self) -> list[Section]:
        fields: dict[str, forms.Field] = {
            "signed_on": DayField(
                label=_("Signed on"),
                error_messages={
                    "required": _("The pledge contract is incomplete: enter the day of signing.")
                },
            ),
            "secured_amount": YuanField(
                label=_("Secured amount (yuan)"),
                error_messages={
                    "required": _("The pledge contract is incomplete: enter the secured amount.")
                },
            ),
            "debt_ends_on": DayField(
                label=_("The debt ends on"),
                help_text=_("Not after the patent that ends first."),
                error_messages={
                    "required": _("The pledge contract is incomplete: enter when the debt ends.")
                },
            ),
            "secured_scope": forms.CharField(
                label=_("What the pledge secures"),
                max_length=SCOPE_LENGTH,
                error_messages={
                    "required": _("The pledge contract is incomplete: enter what it secures.")
                },
            ),
        }
        if len(self.pledgees) > 1:
            fields["pledgee"] = forms.ChoiceField(
                label=_("Pledgee"),
                choices=[(pk, each.label) for pk, each in self.pledgees.items()],
                help_text=_("Who is registered. The creditor is your institution in either case."),
            )
            if self.proposed.pledgee is not None:
                self.initial["pledgee"] = str(self.proposed.pledgee.pk)
        self.fields.update(fields)
        self.initial.update({name: getattr(self.proposed, name) for name in CONTRACT_FIELDS})
        lead = _("Announcement 461 asks for these parts; the patents and both parties are added.")
        return [Section(_("The pledge contract"), *fields, lead=lead)]

    def contract(self) -> PledgeContract:
        """As typed."""
        values = self.cleaned_data
        return PledgeContract(
            signed_on=values.get("signed_on"),
            secured_amount=values.get("secured_amount") or None,
            debt_ends_on=values.get("debt_ends_on"),
            secured_scope=values.get("secured_scope", ""),
            pledgee=self.pledgees.get(values.get("pledgee", "")),
        )

    def fields_of(self, pledge: Pledge) -> dict[str, forms.Field]:
        return {
            "number": forms.CharField(
                label=_("Registration number"), required=False, max_length=NUMBER_LENGTH
            ),
            "registered_on": DayField(label=_("Registered on"), required=False),
        }

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        for pledge, typed in [] if self.errors else self.filled():
            if not typed["number"]:
                self.add_error(f"number_{pledge.pk}", _("Enter the number."))
            if not typed["registered_on"]:
                self.add_error(f"registered_on_{pledge.pk}", _("Enter the day."))
        return values


class ReleaseForm(PledgesForm):
    """The day the register struck out each pledge that is released."""

    def fields_of(self, pledge: Pledge) -> dict[str, forms.Field]:
        help_text = _("Empty: this pledge goes on.") if len(self.pledges) > 1 else ""
        return {
            "released_on": DayField(
                label=_("Struck out of the register on"), required=False, help_text=help_text
            )
        }


class DrawdownForm(forms.Form):
    amount = YuanField(label=_("Amount (yuan)"))
    drawn_on = DayField(label=_("Paid out on"))
    reference = forms.CharField(
        label=_("Your reference"),
        max_length=60,
        help_text=_("Of the payment in your books. Posted twice, it is one drawdown."),
    )

    def __init__(self, *args: Any, cancel_url: str, left: Decimal, on: date, **kwargs: Any) -> None:
        """`left`: yuan of the terms not drawn down yet; `on`: the day proposed."""
        super().__init__(*args, **kwargs)
        self.initial = {"amount": left, "drawn_on": on}
        self.helper = PortalFormHelper(
            *self.fields, submit=_("Record the drawdown"), cancel_url=cancel_url
        )


class PolicyForm(forms.Form):
    number = forms.CharField(
        label=_("Policy number"),
        max_length=60,
        help_text=_("Of the policy you issue. Posted twice, it is one policy."),
    )
    starts_on = DayField(label=_("Cover begins on"))

    def __init__(self, *args: Any, cancel_url: str, on: date, **kwargs: Any) -> None:
        """`on`: the day proposed."""
        super().__init__(*args, **kwargs)
        self.initial = {"starts_on": on}
        self.helper = PortalFormHelper(*self.fields, submit=_("Continue"), cancel_url=cancel_url)
