"""Words for what the audit records: acts, kinds of actors, kinds of objects; the admin shows them.

Rows keep plain codes. An act is named by what follows the dot of its verb, as the column beside it
names the kind of object; a code without a word here is shown as it is.
"""

from django.apps import apps
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Word = str | Promise

ACTORS: dict[str, Word] = {
    "owner": _("Business owner"),
    "institution_staff": _("Institution staff"),
    "coordinator": _("Branch-office coordinator"),
    "system_admin": _("System administrator"),
    "security_admin": _("Security administrator"),
    "audit_admin": _("Audit administrator"),
    "clock": _("Clock"),
    "matcher": _("Matcher"),
    "system": _("Portal"),
}

ACTS: dict[str, Word] = {
    # Where the object is named by the column beside it, but what was done is about a part of it.
    "capacity.booked": pgettext_lazy("act", "capacity booked"),
    "capacity.released": pgettext_lazy("act", "capacity given back"),
    "consent.given": pgettext_lazy("act", "consent given"),
    "consent.withdrawn": pgettext_lazy("act", "consent withdrawn"),
    "disclosure.made": pgettext_lazy("act", "disclosed to the institution"),
    "drawdown.recorded": pgettext_lazy("act", "drawdown recorded"),
    "delivery.confirmed": pgettext_lazy("act", "delivery confirmed"),
    "insurance_policy.issued": pgettext_lazy("act", "policy issued"),
    "question.asked": pgettext_lazy("act", "question asked"),
    "question.answered": pgettext_lazy("act", "question answered"),
    "terms.ended": pgettext_lazy("act", "terms ended"),
    "terms.offered": pgettext_lazy("act", "terms offered"),
    "run.confirmed": pgettext_lazy("act", "what-if put into force"),
    "run.not_written": pgettext_lazy("act", "what-if not written"),
    "run.written": pgettext_lazy("act", "what-if written"),
    "accept": pgettext_lazy("act", "accepted"),
    "added": pgettext_lazy("act", "added"),
    "answer": pgettext_lazy("act", "answered"),
    "approve": pgettext_lazy("act", "approved"),
    "ask": pgettext_lazy("act", "asked for more"),
    "cancel": pgettext_lazy("act", "cancelled"),
    "cancelled": pgettext_lazy("act", "cancelled"),
    "changed": pgettext_lazy("act", "changed"),
    "claimed": pgettext_lazy("act", "claimed"),
    "close": pgettext_lazy("act", "closed"),
    "co_owners_changed": pgettext_lazy("act", "co-owners changed"),
    "code_exception_accepted": pgettext_lazy("act", "unusual credit code accepted"),
    "commit": pgettext_lazy("act", "committed"),
    "complete": pgettext_lazy("act", "completed"),
    "correct": pgettext_lazy("act", "corrected"),
    "cover": pgettext_lazy("act", "covered"),
    "created": pgettext_lazy("act", "created"),
    "deactivated": pgettext_lazy("act", "deactivated"),
    "deadline_set": pgettext_lazy("act", "deadline set"),
    "deadline_stopped": pgettext_lazy("act", "deadline stopped"),
    "decided": pgettext_lazy("act", "decided"),
    "decline": pgettext_lazy("act", "declined"),
    "decline_terms": pgettext_lazy("act", "terms declined"),
    "draft_deleted": pgettext_lazy("act", "draft deleted"),
    "email_changed": pgettext_lazy("act", "e-mail address changed"),
    "email_confirmed": pgettext_lazy("act", "e-mail address confirmed"),
    "end": pgettext_lazy("act", "ended"),
    "escalated": pgettext_lazy("act", "handed up"),
    "expire": pgettext_lazy("act", "expired"),
    "fail": pgettext_lazy("act", "failed"),
    "failed": pgettext_lazy("act", "failed"),
    "fall_through": pgettext_lazy("act", "fallen through"),
    "finish": pgettext_lazy("act", "finished"),
    "finished": pgettext_lazy("act", "finished"),
    "fund": pgettext_lazy("act", "funded"),
    "imported": pgettext_lazy("act", "imported"),
    "interest_declared": pgettext_lazy("act", "interest declared"),
    "invitation_declined": pgettext_lazy("act", "invitation declined"),
    "invitation_withdrawn": pgettext_lazy("act", "invitation withdrawn"),
    "invited": pgettext_lazy("act", "invited"),
    "locked_out": pgettext_lazy("act", "locked out"),
    "made_manager": pgettext_lazy("act", "made manager"),
    "offer_terms": pgettext_lazy("act", "terms offered"),
    "open": pgettext_lazy("act", "opened"),
    "opened": pgettext_lazy("act", "opened"),
    "parked": pgettext_lazy("act", "parked"),
    "password_changed": pgettext_lazy("act", "password changed"),
    "password_reset": pgettext_lazy("act", "password reset"),
    "pause": pgettext_lazy("act", "paused"),
    "person_answered": pgettext_lazy("act", "person answered"),
    "person_asked": pgettext_lazy("act", "person asked"),
    "publish": pgettext_lazy("act", "published"),
    "reactivated": pgettext_lazy("act", "reactivated"),
    "read": pgettext_lazy("act", "read"),
    "refreshed": pgettext_lazy("act", "confirmed as still valid"),
    "register": pgettext_lazy("act", "registered"),
    "registered": pgettext_lazy("act", "registered"),
    "reinstate": pgettext_lazy("act", "reinstated"),
    "reinstated": pgettext_lazy("act", "reinstated"),
    "reject": pgettext_lazy("act", "rejected"),
    "release": pgettext_lazy("act", "released"),
    "released": pgettext_lazy("act", "released"),
    "reminded": pgettext_lazy("act", "reminded"),
    "removed": pgettext_lazy("act", "removed"),
    "renewal_begun": pgettext_lazy("act", "renewal begun"),
    "reopen": pgettext_lazy("act", "opened again"),
    "requested": pgettext_lazy("act", "requested"),
    "restore": pgettext_lazy("act", "restored"),
    "resubmit": pgettext_lazy("act", "submitted again"),
    "resume": pgettext_lazy("act", "published again"),
    "return": pgettext_lazy("act", "returned"),
    "saved": pgettext_lazy("act", "saved"),
    "second_factor_added": pgettext_lazy("act", "second factor added"),
    "second_factor_failed": pgettext_lazy("act", "second factor failed"),
    "second_factor_removed": pgettext_lazy("act", "second factor removed"),
    "second_factor_reset": pgettext_lazy("act", "second factor reset"),
    "sent_again": pgettext_lazy("act", "sent again"),
    "session_ended": pgettext_lazy("act", "session ended"),
    "set": pgettext_lazy("act", "set"),
    "sign_in_failed": pgettext_lazy("act", "sign-in failed"),
    "signed_in": pgettext_lazy("act", "signed in"),
    "signed_out": pgettext_lazy("act", "signed out"),
    "signed_up": pgettext_lazy("act", "signed up"),
    "start": pgettext_lazy("act", "started"),
    "study": pgettext_lazy("act", "study begun"),
    "submit": pgettext_lazy("act", "submitted"),
    "supersede": pgettext_lazy("act", "superseded"),
    "suspend": pgettext_lazy("act", "suspended"),
    "suspended": pgettext_lazy("act", "suspended"),
    "verify": pgettext_lazy("act", "verified"),
    "withdraw": pgettext_lazy("act", "withdrawn"),
}


def act_word(verb: str) -> str:
    """ "match.approve" → "approved" """
    return str(ACTS.get(verb) or ACTS.get(verb.partition(".")[2], verb))


def actor_word(kind: str) -> str:
    return str(ACTORS.get(kind, kind))


def object_word(label: str) -> str:
    """ "financing.match" → "Match"; a model that is no more is shown as it was recorded."""
    try:
        name = apps.get_model(label)._meta.verbose_name
    except (LookupError, ValueError):
        return label
    return str(capfirst(str(name)))
