"""What an owner enters about a business: registration and changes."""

from dataclasses import fields
from typing import Any

from crispy_forms.layout import HTML, Div, Field
from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from businesses import identifier_texts
from businesses.credit_codes import ACCEPTABLE_FAULTS, read_credit_code, stored_credit_code
from businesses.entries import BusinessFacts
from businesses.forms.choices import Grouped, industry_choices, place_choices, province_choices
from businesses.models import Business
from businesses.permissions import is_identity_fixed
from businesses.rules import industries
from businesses.rules.identifiers import IdentifierError
from sipo_portal.offices.models import Region
from sipo_portal.ui.fields import DayField, FigureField, PlainIntegerField, YearField
from sipo_portal.ui.forms import PortalFormHelper, Section

# As many digits as the columns hold.
LARGEST_WAN = 10**12 - 1
# The Enter key presses a form's first button, which must not be the one that shows places.
DEFAULT_BUTTON = (
    '<button type="submit" class="visually-hidden" tabindex="-1" aria-hidden="true"></button>'
)


class BusinessForm(forms.Form):
    """Facts of a business. `business`: the one being changed; verified ones keep their identity.

    `province` only narrows the places to choose from; `industry_class` refines `industry`.
    """

    credit_code = forms.CharField(
        label=_("Unified social credit code"),
        max_length=40,
        help_text=_("18 characters, on your business licence. Blanks and small letters are fine."),
        error_messages={"required": _("Enter the code printed on your business licence.")},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "spellcheck": "false",
                "hx-post": reverse_lazy("businesses:code_check"),
                "hx-trigger": "change",
                "hx-target": "#credit-code-check",
                "hx-params": "credit_code,csrfmiddlewaretoken",
            }
        ),
    )
    is_code_exact = forms.BooleanField(
        label=_("This is exactly the code on my licence"),
        required=False,
        help_text=_(
            "A few real codes fail the check. Your branch office will compare it with the licence "
            "before it verifies the business."
        ),
    )
    name = forms.CharField(
        label=_("Name of the business"),
        max_length=200,
        help_text=_("As on the licence."),
        error_messages={"required": _("Enter the name as on the licence.")},
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    established_on = DayField(
        label=_("Established on"),
        help_text=_("The founding day on the licence."),
        error_messages={"required": _("Enter the founding day on the licence.")},
    )
    legal_representative = forms.CharField(
        label=_("Legal representative"), max_length=80, required=False
    )
    province = forms.ChoiceField(
        label=_("Province"),
        error_messages={"required": _("Choose the province of the registered address.")},
        widget=forms.Select(
            attrs={
                "hx-get": reverse_lazy("businesses:places"),
                "hx-trigger": "change",
                "hx-target": "#div_id_region",
                "hx-swap": "outerHTML",
            }
        ),
    )
    region = forms.ChoiceField(
        label=_("City or county"),
        help_text=_("It decides which branch office looks after you and which offers serve you."),
        error_messages={"required": _("Choose the city or county of the registered address.")},
    )
    address = forms.CharField(label=_("Street and number"), max_length=300, required=False)
    industry = forms.ChoiceField(
        label=_("Industry"),
        help_text=_("The main activity: most of the revenue comes from it."),
        error_messages={"required": _("Choose the industry of the main activity.")},
    )
    industry_class = forms.CharField(
        label=_("Four-digit industry code"),
        max_length=10,
        required=False,
        help_text=_(
            "If you know it (GB/T 4754-2017, in your annual report), for example 3911. In real "
            "estate and transport the size class depends on it."
        ),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    figures_year = YearField(
        label=_("Year of the figures"),
        required=False,
        help_text=_("The last closed year."),
    )
    employee_count = PlainIntegerField(
        label=_("Staff"),
        required=False,
        unit=_("people"),
        help_text=_("At the end of that year."),
    )
    revenue_wan = FigureField(
        label=_("Revenue of the year"), required=False, largest=LARGEST_WAN, unit=_("10,000 yuan")
    )
    assets_wan = FigureField(
        label=_("Total assets"), required=False, largest=LARGEST_WAN, unit=_("10,000 yuan")
    )
    has_low_taxable_income = forms.BooleanField(
        label=_("Taxable income of the previous year was under 1 million yuan"),
        required=False,
        help_text=_("Then annuities of your patents can be reduced for ten years from grant."),
    )
    contact_name = forms.CharField(
        label=_("Contact person"),
        max_length=80,
        required=False,
        help_text=_("Only you and your branch office see it."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    contact_phone = forms.CharField(
        label=_("Telephone"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )

    def __init__(
        self,
        *args: Any,
        business: Business | None = None,
        cancel_url: str = "",
        **kwargs: Any,
    ) -> None:
        if business is not None:
            kwargs["initial"] = {**initial_of(business), **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        self.business = business
        self.is_identity_fixed = business is not None and is_identity_fixed(business)
        self._choose("industry", industry_choices())
        self.fields["figures_year"].initial = timezone.localdate().year - 1
        if self.is_identity_fixed:
            for name in ("credit_code", "is_code_exact", "name", "established_on"):
                del self.fields[name]
            del self.fields["province"], self.fields["region"]
        else:
            self._choose("province", province_choices())
            self._choose("region", place_choices(self._typed("province")))
            if not self._code_may_be_exact():
                del self.fields["is_code_exact"]
        self.helper = PortalFormHelper(
            *self._sections(),
            submit=_("Save") if business else _("Register the business"),
            cancel_url=cancel_url,
        )

    def _choose(self, name: str, choices: Grouped) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def _typed(self, name: str) -> str:
        value = self.data.get(name) if self.is_bound else self.initial.get(name)
        return str(value or "").strip()

    def _code_may_be_exact(self) -> bool:
        try:
            read_credit_code(self._typed("credit_code"))
        except IdentifierError as error:
            return error.code in ACCEPTABLE_FAULTS
        return False

    def _sections(self) -> list[Any]:
        identity, place = [], []
        if not self.is_identity_fixed:
            exact = ["is_code_exact"] if "is_code_exact" in self.fields else []
            identity = [
                "credit_code",
                HTML('<div id="credit-code-check" aria-live="polite"></div>'),
                *exact,
                "name",
                "established_on",
            ]
            place = [
                "province",
                HTML('{% include "businesses/businesses/show_places.html" only %}'),
                "region",
            ]
        return [
            HTML(DEFAULT_BUTTON),
            Section(_("From the licence"), *identity, "legal_representative"),
            Section(_("Registered address"), *place, "address"),
            Section(_("Industry"), "industry", "industry_class"),
            Section(
                _("Size"),
                Div(Field("figures_year"), Field("employee_count")),
                "revenue_wan",
                "assets_wan",
                "has_low_taxable_income",
                lead=_(
                    "From these figures follows whether the business counts as micro or small. "
                    "Leave out what you do not know: you can add it later."
                ),
            ),
            Section(_("Contact"), "contact_name", "contact_phone"),
        ]

    def clean_credit_code(self) -> str:
        text: str = self.cleaned_data["credit_code"]
        try:
            return stored_credit_code(text, is_exact=bool(self.data.get("is_code_exact")))
        except IdentifierError as error:
            message = identifier_texts.credit_code_fault(error)
            if error.code in ACCEPTABLE_FAULTS:
                hint = _("If your licence really shows this code, tick the box below the field.")
                raise ValidationError([message, hint], code=error.code)
            raise ValidationError(message, code=error.code)

    def clean_region(self) -> Region:
        return Region.objects.get(pk=self.cleaned_data["region"])

    def clean_established_on(self) -> Any:
        day = self.cleaned_data["established_on"]
        if day > timezone.localdate():
            raise ValidationError(_("This day lies in the future."))
        return day

    def clean_industry_class(self) -> str:
        text: str = self.cleaned_data["industry_class"]
        if not text:
            return ""
        try:
            return industries.normalise(text)
        except industries.UnknownIndustry:
            raise ValidationError(
                _("There is no such code in GB/T 4754-2017. Leave it empty if you are not sure.")
            )

    def clean_figures_year(self) -> int | None:
        year: int | None = self.cleaned_data["figures_year"]
        this_year = timezone.localdate().year
        if year is not None and not 1949 <= year <= this_year:
            raise ValidationError(
                _("Enter a year with four digits, up to %(year)s.") % {"year": this_year}
            )
        return year

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        division, exact = cleaned.get("industry"), cleaned.get("industry_class")
        if division and exact and not exact.startswith(division):
            self.add_error(
                "industry_class",
                _("This code belongs to another industry than the one chosen above."),
            )
        has_figures = any(
            cleaned.get(name) is not None
            for name in ("employee_count", "revenue_wan", "assets_wan")
        )
        if (
            has_figures
            and cleaned.get("figures_year") is None
            and not self.errors.get("figures_year")
        ):
            self.add_error("figures_year", _("Enter the year these figures are of."))
        return cleaned

    def facts(self) -> BusinessFacts:
        """The facts entered, with the fixed ones of a verified business."""
        cleaned = self.cleaned_data
        values: dict[str, Any] = {}
        for field in fields(BusinessFacts):
            values[field.name] = (
                cleaned[field.name] if field.name in cleaned else getattr(self.business, field.name)
            )
        values["industry"] = cleaned["industry_class"] or cleaned["industry"]
        return BusinessFacts(**values)

    @property
    def is_code_exact_ticked(self) -> bool:
        return bool(self.cleaned_data.get("is_code_exact"))


def initial_of(business: Business) -> dict[str, Any]:
    """What the form shows first for a stored business."""
    stored: dict[str, Any] = {
        field.name: getattr(business, field.name) for field in fields(BusinessFacts)
    }
    code = business.industry
    return {
        **stored,
        "province": business.region.province_code,
        "region": business.region_id,
        "industry": code[:3],
        "industry_class": code if len(code) > 3 else "",
        "is_code_exact": True,
    }
