"""What the identity stage of a disclosure shares: one table of fields, their words and their owner.

Read by the services that freeze the fields, by the consent texts that name them, and by the pages
that show them. The keys are stored with every consent: a changed meaning gets a new key, a changed
list or text of consent a new version.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from financing.models.person_consents import PersonRole

# The text a business or a person agrees to; stored with the agreement.
CONSENT_VERSION = "2026-1"


@dataclass(frozen=True, slots=True)
class IdentityField:
    """`of_person`: whose personal data it is; empty for data of the business."""

    key: str
    label: str | Promise
    of_person: str = ""


IDENTITY_FIELDS = (
    IdentityField("name", _("Name of the business")),
    IdentityField("credit_code", _("Unified social credit code")),
    IdentityField("region", _("Region")),
    IdentityField("address", _("Address")),
    IdentityField("industry", _("Industry")),
    IdentityField("established_on", _("Established on")),
    IdentityField("size_class", _("Size class")),
    IdentityField("employee_count", _("Staff")),
    IdentityField("revenue", _("Yearly revenue")),
    IdentityField("assets", _("Total assets")),
    IdentityField("figures_year", _("Year of the figures")),
    IdentityField("contact_name", _("Contact person"), PersonRole.CONTACT.value),
    IdentityField("contact_phone", _("Contact telephone"), PersonRole.CONTACT.value),
    IdentityField(
        "legal_representative", _("Legal representative"), PersonRole.LEGAL_REPRESENTATIVE.value
    ),
    IdentityField("patents", _("Patents: number, kind, title, dates, appraisal")),
    IdentityField("co_owners", _("Co-owners of the patents"), PersonRole.CO_OWNER.value),
    IdentityField("request", _("What is asked for: amount, term or cover, purpose")),
)
IDENTITY_KEYS = tuple(field.key for field in IDENTITY_FIELDS)


def labels_of(keys: list[str]) -> list[str | Promise]:
    """The words for stored keys, in the order of the table; unknown ones are left as they are."""
    known = {field.key: field.label for field in IDENTITY_FIELDS}
    return [known.get(key, key) for key in sorted(keys, key=_place)]


def personal_labels(roles: tuple[str, ...]) -> list[str | Promise]:
    """The words for the data of a person in these roles."""
    return [field.label for field in IDENTITY_FIELDS if field.of_person in roles]


def _place(key: str) -> int:
    return IDENTITY_KEYS.index(key) if key in IDENTITY_KEYS else len(IDENTITY_KEYS)
