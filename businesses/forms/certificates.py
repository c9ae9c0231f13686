"""Which certificates a business holds: a tick list with number and last day."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from businesses.entries import CertificateFacts
from businesses.models import Business
from businesses.models.certificates import CertificateKind
from sipo_portal.ui.fields import DayField
from sipo_portal.ui.forms import PortalFormHelper, Section


class CertificatesForm(forms.Form):
    """Three fields for each kind; number and day count only where the certificate is ticked."""

    def __init__(self, *args: Any, business: Business, cancel_url: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = {each.kind: each for each in business.certificates.all()}
        sections = []
        for kind in CertificateKind:
            row = held.get(kind)
            self.fields[f"has_{kind}"] = forms.BooleanField(
                label=kind.label, required=False, initial=row is not None
            )
            self.fields[f"number_{kind}"] = forms.CharField(
                label=_("Number"), max_length=60, required=False, initial=row.number if row else ""
            )
            self.fields[f"until_{kind}"] = DayField(
                label=_("Valid until"), required=False, initial=row.valid_until if row else None
            )
            names = (f"has_{kind}", f"number_{kind}", f"until_{kind}")
            sections.append(Section(kind.label, *names))
        self.helper = PortalFormHelper(*sections, cancel_url=cancel_url)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for kind in CertificateKind:
            is_described = cleaned.get(f"number_{kind}") or cleaned.get(f"until_{kind}")
            if is_described and not cleaned.get(f"has_{kind}"):
                self.add_error(
                    f"has_{kind}",
                    _("Tick this certificate, or empty its number and its last day."),
                )
        return cleaned

    def certificates(self) -> dict[str, CertificateFacts]:
        cleaned = self.cleaned_data
        return {
            kind.value: CertificateFacts(
                number=cleaned[f"number_{kind}"], valid_until=cleaned[f"until_{kind}"]
            )
            for kind in CertificateKind
            if cleaned[f"has_{kind}"]
        }
