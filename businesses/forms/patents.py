"""What a business enters about one of its patents."""

from dataclasses import fields
from typing import Any

from crispy_forms.layout import HTML
from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from businesses import identifier_texts
from businesses.entries import PatentEntry
from businesses.models import Patent
from businesses.models.patents import EndReason
from businesses.rules import annuities, patent_term
from businesses.rules.identifiers import IdentifierError, PatentNumber, parse_patent_number
from sipo_portal.ui.fields import DayField, PlainIntegerField
from sipo_portal.ui.forms import PortalFormHelper, Section

RELIEFS = [
    ("0", _("No reduction")),
    ("70", _("70 % (several owners)")),
    ("85", _("85 % (one owner)")),
]


class PatentForm(forms.Form):
    """Facts of a patent. `patent`: the one being changed; `can_be_draft` adds a second button."""

    application_number = forms.CharField(
        label=_("Patent number"),
        max_length=40,
        help_text=_(
            "As on the certificate, for example ZL 2021 2 0938098.5. Kind and year of filing are "
            "read from it."
        ),
        error_messages={"required": _("Enter the patent number printed on the certificate.")},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "spellcheck": "false",
                "hx-post": reverse_lazy("businesses:number_check"),
                "hx-trigger": "change",
                "hx-target": "#patent-number-check",
                "hx-params": "application_number,csrfmiddlewaretoken",
            }
        ),
    )
    title = forms.CharField(
        label=_("Title"),
        max_length=300,
        help_text=_("As on the certificate."),
        error_messages={"required": _("Enter the title as on the certificate.")},
    )
    filed_on = DayField(
        label=_("Filed on"),
        help_text=_("The filing date on the certificate; the term counts from it."),
        error_messages={"required": _("Enter the filing date on the certificate.")},
    )
    is_divisional = forms.BooleanField(
        label=_("It is a divisional application"),
        required=False,
        help_text=_("Then the number shows a later year than the filing date."),
    )
    granted_on = DayField(
        label=_("Granted on"),
        required=False,
        help_text=_("The day the grant was announced. Leave it empty for an application."),
    )
    publication_number = forms.CharField(
        label=_("Publication number"),
        max_length=20,
        required=False,
        help_text=_("For example CN112345678B."),
    )
    ipc_main = forms.CharField(
        label=_("Main IPC class"),
        max_length=20,
        required=False,
        help_text=_("For example G06F 17/30; designs have none."),
    )
    owner_name_on_register = forms.CharField(
        label=_("Owner named in the register"),
        max_length=200,
        required=False,
        help_text=_("Only if it differs from the name of the business. Co-owners come later."),
    )
    is_licensed_in = forms.BooleanField(
        label=_("The business holds a licence; it does not own this patent"), required=False
    )
    has_overseas_family = forms.BooleanField(
        label=_("There are patents for the same invention abroad"), required=False
    )
    annuity_paid_through_year = PlainIntegerField(
        label=_("Yearly fees paid up to patent year"),
        required=False,
        largest=20,
        help_text=_(
            "The last patent year on a fee receipt, for example 5 for “年费 第5年”. The first year "
            "starts on the filing date."
        ),
    )
    annuity_relief_percent = forms.TypedChoiceField(
        label=_("Reduction of the yearly fees"), choices=RELIEFS, coerce=int, initial="0"
    )
    compensation_days = PlainIntegerField(
        label=_("Compensation of the term"),
        required=False,
        largest=3650,
        unit=_("days"),
        help_text=_("Days the office added to the term of an invention; usually none."),
    )
    has_ownership_dispute = forms.BooleanField(
        label=_("Who owns it is in dispute, or a court has preserved it"), required=False
    )
    has_infringement_dispute = forms.BooleanField(
        label=_("An infringement dispute about it is pending"), required=False
    )
    is_invalidation_pending = forms.BooleanField(
        label=_("Somebody has asked to declare it invalid"), required=False
    )
    has_same_day_invention_filing = forms.BooleanField(
        label=_("An invention was filed for the same thing on the same day"),
        required=False,
        help_text=_("Utility models only."),
    )

    def __init__(
        self,
        *args: Any,
        patent: Patent | None = None,
        can_be_draft: bool = False,
        cancel_url: str = "",
        **kwargs: Any,
    ) -> None:
        if patent is not None:
            kwargs["initial"] = initial_of(patent)
        super().__init__(*args, **kwargs)
        self.number: PatentNumber | None = None
        self.helper = PortalFormHelper(
            Section(
                _("From the certificate"),
                "application_number",
                HTML('<div id="patent-number-check" aria-live="polite"></div>'),
                "title",
                "filed_on",
                "is_divisional",
                "granted_on",
                "publication_number",
                "ipc_main",
            ),
            Section(_("Owner"), "owner_name_on_register", "is_licensed_in", "has_overseas_family"),
            Section(
                _("Yearly fees and term"),
                "annuity_paid_through_year",
                "annuity_relief_percent",
                "compensation_days",
                lead=_("A patent ends when a yearly fee stays unpaid for half a year."),
            ),
            Section(
                _("What may stand against a pledge"),
                "has_ownership_dispute",
                "has_infringement_dispute",
                "is_invalidation_pending",
                "has_same_day_invention_filing",
                lead=_(
                    "Tick what is the case today. The branch office compares it with the register."
                ),
            ),
            submit=_("Save") if patent else _("Register the patent"),
            second=_("Save as a draft") if can_be_draft else "",
            cancel_url=cancel_url,
        )

    def clean_application_number(self) -> str:
        text: str = self.cleaned_data["application_number"]
        try:
            self.number = parse_patent_number(text, today=timezone.localdate())
        except IdentifierError as error:
            raise ValidationError(identifier_texts.patent_number_fault(error), code=error.code)
        return self.number.normal

    def clean_compensation_days(self) -> int:
        return self.cleaned_data["compensation_days"] or 0

    def _past(self, name: str) -> Any:
        day = self.cleaned_data[name]
        if day is not None and day > timezone.localdate():
            raise ValidationError(_("This day lies in the future."))
        return day

    def clean_filed_on(self) -> Any:
        return self._past("filed_on")

    def clean_granted_on(self) -> Any:
        return self._past("granted_on")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        filed_on, granted_on = cleaned.get("filed_on"), cleaned.get("granted_on")
        if filed_on and self.number:
            self._check_year(filed_on.year, self.number.filing_year, cleaned["is_divisional"])
        if filed_on and granted_on and granted_on < filed_on:
            self.add_error("granted_on", _("The grant cannot come before the filing."))
        elif filed_on and granted_on and self.number:
            self._check_annuities(self.number, filed_on, granted_on, cleaned)
        return cleaned

    def _check_year(self, filed: int, named: int, is_divisional: bool) -> None:
        if filed == named or (filed < named and is_divisional):
            return
        hint = _(
            "The patent number says %(named)s, the date %(filed)s. Check both; for a divisional "
            "application tick the box below."
        )
        self.add_error("filed_on", hint % {"named": named, "filed": filed})

    def _check_annuities(
        self, number: PatentNumber, filed_on: Any, granted_on: Any, cleaned: dict[str, Any]
    ) -> None:
        if "annuity_paid_through_year" not in cleaned:
            return
        paid = cleaned["annuity_paid_through_year"]
        last = patent_term.term_years(number.kind, filed_on)
        if paid is None:
            self.add_error(
                "annuity_paid_through_year",
                _("Enter up to which patent year the fees of this granted patent are paid."),
            )
        elif paid < (first := annuities.patent_year(filed_on, granted_on)):
            hint = _("The fee of the year of grant, year %(year)s, was paid with the grant.")
            self.add_error("annuity_paid_through_year", hint % {"year": first})
        elif paid > last:
            hint = _("This patent has %(year)s years at most.")
            self.add_error("annuity_paid_through_year", hint % {"year": last})

    def entry(self) -> PatentEntry:
        return PatentEntry(
            **{field.name: self.cleaned_data[field.name] for field in fields(PatentEntry)}
        )


def initial_of(patent: Patent) -> dict[str, Any]:
    """What the form shows first for a stored patent."""
    stored = {
        field.name: getattr(patent, field.name)
        for field in fields(PatentEntry)
        if field.name != "is_divisional"
    }
    named = parse_patent_number(patent.application_number).filing_year
    return {
        **stored,
        "is_divisional": named != patent.filed_on.year,
        "annuity_relief_percent": int(patent.annuity_relief_percent),
        "compensation_days": patent.compensation_days or None,
    }


class EndForm(forms.Form):
    end_reason = forms.ChoiceField(
        label=_("Why it ended"),
        choices=EndReason.choices,
        error_messages={"required": _("Choose why it ended.")},
        widget=forms.RadioSelect,
    )
    ended_on = DayField(
        label=_("Ended on"), error_messages={"required": _("Enter the day the patent ended.")}
    )

    def __init__(self, *args: Any, patent: Patent, cancel_url: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.patent = patent
        self.helper = PortalFormHelper(
            form=self, submit=_("Record the end"), danger=True, cancel_url=cancel_url
        )

    def clean_ended_on(self) -> Any:
        day = self.cleaned_data["ended_on"]
        if day > timezone.localdate():
            raise ValidationError(_("This day lies in the future."))
        if day < self.patent.filed_on:
            raise ValidationError(_("This day lies before the filing."))
        return day
