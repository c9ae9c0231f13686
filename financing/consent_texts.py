"""Words for refusals around consent and answers; the owner's and the persons' pages read them."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from financing.services.consents import ConsentRefusal, ConsentRefused
from financing.services.questions import AnswerRefusal, AnswerRefused

CONSENT: dict[ConsentRefusal, str | Promise] = {
    ConsentRefusal.NOT_REFERRED: _(
        "Consent is asked once the branch office has approved the match. Nothing is shared before."
    ),
    ConsentRefusal.OVER: _("This match is over. Nothing is shared any more."),
    ConsentRefusal.NOT_A_MEMBER: _("Only who acts for the business can decide this."),
    ConsentRefusal.NOBODY_CONCERNED: _(
        "This person's data is not part of the match any more. Nobody was asked."
    ),
    ConsentRefusal.ANSWERED_ALREADY: _("This was answered already. Nothing was changed."),
}
ANSWER: dict[AnswerRefusal, str | Promise] = {
    AnswerRefusal.EMPTY: _("Write an answer or choose a file."),
    AnswerRefusal.CONSENT_MISSING: _(
        "An answer says who you are, so the consents have to be complete first. Nothing was sent."
    ),
    AnswerRefusal.ANSWERED_ALREADY: _("This question was answered already."),
}


def refusal_text(refused: ConsentRefused) -> str:
    return str(CONSENT[refused.code])


def answer_refusal_text(refused: AnswerRefused) -> str:
    return str(ANSWER[refused.code])
