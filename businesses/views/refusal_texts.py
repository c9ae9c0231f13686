"""What a refusal of a service means for the person at the page; views put it at the form."""

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from businesses.services.refusals import BusinessRefused, Refusal

REFUSALS: dict[Refusal, str | Promise] = {
    Refusal.CODE_TAKEN: _(
        "A business with this code is registered already. If it is yours, claim it: the branch "
        "office decides who acts for it."
    ),
    Refusal.CODE_INVALID: _("The code fails its check."),
    Refusal.CODE_UNVERIFIED: _(
        "The code fails its check. Accept it with a reason first, or ask the owner to correct it."
    ),
    Refusal.CODE_VALID: _("The code passes its check: there is nothing to accept."),
    Refusal.NOT_REGISTERED: _("No business with this code is registered. Register it instead."),
    Refusal.ALREADY_MEMBER: _("This person acts for the business already."),
    Refusal.CLAIM_PENDING: _("You have sent this claim already. The branch office will decide."),
    Refusal.CLAIM_DECIDED: _("Somebody else has decided this claim meanwhile."),
    Refusal.OWN_INTEREST: _(
        "You are or were a member of this business, so a colleague has to decide about it."
    ),
    Refusal.REASON_MISSING: _("Give a reason."),
    Refusal.NOT_MANAGER: _("Only those who manage the members may do that."),
    Refusal.LAST_MANAGER: _(
        "This person is the only one who manages the members. Let somebody else manage them first."
    ),
    Refusal.INVITED_ALREADY: _("This address is invited already."),
    Refusal.EMAIL_UNCONFIRMED: _(
        "Confirm your e-mail address first (menu with your name, e-mail address); then accept."
    ),
    Refusal.PATENT_THERE: _("This business has registered a patent with this number already."),
    Refusal.NUMBER_DISAGREES: _("The patent number names another year than the filing date."),
    Refusal.PATENT_ENDED: _("This patent has ended: its record stays as it is."),
    Refusal.NOT_A_DRAFT: _("Only drafts can be deleted. Record the end of the patent instead."),
    Refusal.EXTRACT_IN_FUTURE: _("This day lies in the future."),
    Refusal.RELEASED_TOO_EARLY: _("It cannot be released before it was registered."),
    Refusal.RELEASED_ALREADY: _("The release is recorded already."),
}
_FIELDS = {
    Refusal.CODE_TAKEN: "credit_code",
    Refusal.NOT_REGISTERED: "credit_code",
    Refusal.ALREADY_MEMBER: "email",
    Refusal.INVITED_ALREADY: "email",
    Refusal.PATENT_THERE: "application_number",
    Refusal.NUMBER_DISAGREES: "filed_on",
    Refusal.RELEASED_TOO_EARLY: "released_on",
    Refusal.EXTRACT_IN_FUTURE: "register_extract_on",
    Refusal.REASON_MISSING: "reason",
}


def refusal_text(refused: BusinessRefused) -> str:
    return str(REFUSALS[refused.code])


def add_refusal(form: forms.Form, refused: BusinessRefused) -> None:
    """Show the refusal at the field it is about, else on top of the form."""
    field = _FIELDS.get(refused.code)
    form.add_error(field if field in form.fields else None, refusal_text(refused))
