"""The co-owners of a patent, several at once."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import BaseFormSet, formset_factory
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from businesses.entries import CoOwnerEntry
from businesses.models import CoOwner
from businesses.models.co_owners import CoOwnerConsent, CoOwnerKind
from businesses.rules.names import fold_name
from sipo_portal.ui.fields import DayField

LARGEST_COUNT = 30


class CoOwnerForm(forms.Form):
    """One co-owner; a row without a name counts as empty."""

    name = forms.CharField(
        label=_("Name as in the register"),
        max_length=200,
        error_messages={"required": _("Enter the name as in the register.")},
    )
    kind = forms.ChoiceField(
        label=_("Kind"), choices=CoOwnerKind.choices, initial=CoOwnerKind.ORGANISATION
    )
    consent = forms.ChoiceField(
        label=_("Consent to a pledge"),
        choices=CoOwnerConsent.choices,
        # Equal to what an empty row posts, so that it counts as empty.
        initial=CoOwnerConsent.MISSING,
        help_text=_("Only written consent counts."),
    )
    consented_on = DayField(label=_("Consented on"), required=False)

    def clean_consented_on(self) -> Any:
        day = self.cleaned_data["consented_on"]
        if day is not None and day > timezone.localdate():
            raise ValidationError(_("This day lies in the future."))
        return day

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        is_given = cleaned.get("consent") == CoOwnerConsent.GIVEN
        if is_given and cleaned.get("consented_on") is None and not self.errors:
            self.add_error("consented_on", _("Enter the day of the written consent."))
        return cleaned

    @property
    def is_described(self) -> bool:
        """The row is filled in and not ticked for removal."""
        return bool(self.cleaned_data.get("name")) and not self.cleaned_data.get("DELETE")


class CoOwnerRows(BaseFormSet):  # type: ignore[type-arg]
    """Rows told apart by name."""

    deletion_widget = forms.CheckboxInput

    def add_fields(self, form: forms.Form, index: int | None) -> None:
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            form.fields["DELETE"].label = _("Remove this co-owner")

    def clean(self) -> None:
        seen: set[str] = set()
        for form in self.forms:
            if not form.is_valid() or not form.is_described:
                continue
            key = fold_name(form.cleaned_data["name"])
            if key in seen:
                form.add_error("name", _("This co-owner is listed twice."))
            seen.add(key)

    def entries(self) -> list[CoOwnerEntry]:
        return [
            CoOwnerEntry(
                name=form.cleaned_data["name"],
                kind=form.cleaned_data["kind"],
                consent=form.cleaned_data["consent"],
                consented_on=form.cleaned_data["consented_on"],
            )
            for form in self.forms
            if form.is_described
        ]


CoOwnerFormSet: type[CoOwnerRows] = formset_factory(  # type: ignore[assignment]
    CoOwnerForm,
    formset=CoOwnerRows,
    extra=2,
    can_delete=True,
    can_delete_extra=False,
    max_num=LARGEST_COUNT,
    validate_max=True,
    absolute_max=LARGEST_COUNT + 10,
)


def initial_of(co_owners: Iterable[CoOwner]) -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "kind": each.kind,
            "consent": each.consent,
            "consented_on": each.consented_on,
        }
        for each in co_owners
    ]
