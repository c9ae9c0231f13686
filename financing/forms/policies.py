"""The system administrator's pages on policy versions and subsidy rules."""

from collections.abc import Iterable
from typing import Any

from django.forms.models import BaseInlineFormSet
from django.utils.translation import gettext_lazy as _

from financing.forms.institutions import SeatField
from financing.forms.service_checked import ServiceCheckedForm
from sipo_portal.ui.fields import DayField


class PolicyForm(ServiceCheckedForm):
    effective_on = DayField(label=_("In force from"))


class SubsidyRuleForm(ServiceCheckedForm):
    region = SeatField(
        label=_("Region"),
        required=False,
        help_text=_("Empty: the whole country."),
    )
    valid_from = DayField(label=_("Valid from"))
    valid_until = DayField(label=_("Valid until"), required=False)


class CopiedRowForm(ServiceCheckedForm):
    """A row that comes filled from the version before counts as filled."""

    def has_changed(self) -> bool:
        return bool(self.initial and not self.instance.pk) or super().has_changed()


class PolicyRowFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    def validate_unique(self) -> None:
        """The service names the row."""

    def rows(self) -> Iterable[dict[str, Any]]:
        for form in self.forms:
            values = form.cleaned_data
            if values and not values.get("DELETE") and (form.instance.pk or form.has_changed()):
                names = [name for name in form._meta.fields or () if name != self.fk.name]
                yield {name: values[name] for name in names} | {"place": form.prefix}
