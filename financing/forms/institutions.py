"""The system administrator's pages on institutions and their staff."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.forms.models import BaseInlineFormSet
from django.utils.translation import gettext_lazy as _

from financing.models.institutions import Institution, InstitutionStaff
from sipo_portal.offices.models import Region


class SeatField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A province or prefecture; counties are left out, so that the list stays usable."""

    def __init__(self, **kwargs: Any) -> None:
        levels = (Region.Level.PROVINCE, Region.Level.PREFECTURE)
        rows = Region.objects.filter(level__in=levels).select_related("parent").order_by("code")
        super().__init__(queryset=rows, **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        return obj.label if obj.parent is None else f"{obj.parent.label} · {obj.label}"


class InstitutionForm(forms.ModelForm):  # type: ignore[type-arg]
    region = SeatField(label=_("Seat"))

    class Meta:
        model = Institution
        fields = ("name", "name_en", "kind", "region")


class StaffPostForm(forms.ModelForm):  # type: ignore[type-arg]
    email = forms.EmailField(
        label=_("E-mail address of the account"),
        help_text=_("An account of institution staff; the security administrator creates it."),
    )

    class Meta:
        model = InstitutionStaff
        fields = ("is_active",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            # A post is never moved to another person: it is made inactive.
            self.initial["email"] = self.instance.user.email
            self.fields["email"].disabled = True


class StaffPostFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    def rows(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """(place on the page, cleaned values) of every filled row."""
        for form in self.forms:
            if form.cleaned_data and (form.instance.pk or form.has_changed()):
                yield str(form.prefix), form.cleaned_data
