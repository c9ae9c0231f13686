"""The business answers what an institution asks; files are handed over and read here.

Called by the owner's match page and by the page that serves files. Asking is in `studies`.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction
from django.utils import timezone

from financing import notifications
from financing.consent_state import consent_state
from financing.lifecycles import MATCH
from financing.models.matches import Match
from financing.models.questions import AnswerFile, Question
from financing.services.clocks import resume_clock
from financing.services.consents import lock_business
from financing.verbs import Verb
from sipo_portal.accounts.models import Role
from sipo_portal.attachments.checking import CheckedFile
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.workflow.advance import advance


class AnswerRefusal(StrEnum):
    """Why an answer was not taken; pages translate the code."""

    EMPTY = "empty"
    CONSENT_MISSING = "consent_missing"
    ANSWERED_ALREADY = "answered_already"


class AnswerRefused(Exception):
    """Nothing was changed; `code` says why."""

    def __init__(self, code: AnswerRefusal) -> None:
        super().__init__(code.value)
        self.code = code


class FileClosed(Exception):
    """The institution may not read the file: consent was withdrawn."""


@dataclass(frozen=True, slots=True)
class ServedFile:
    """What a page needs to hand a file out."""

    name: str
    media_type: str
    content: bytes


@transaction.atomic
def answer_question(
    *, actor: Actor, question: Question, text: str, files: Iterable[CheckedFile] = ()
) -> Question:
    """Answer with text and checked files; the institution studies on, its clock goes on.

    The same text posted again after it was stored is the same answer, its files are not stored
    twice. Locks business, match and question. Raises AnswerRefused: empty (neither text nor file),
    consent_missing (an answer would say who it is), answered_already (with another text);
    TransitionRefused where the match waits for nothing.
    """
    text = text.strip()
    files = list(files)
    if not text and not files:
        raise AnswerRefused(AnswerRefusal.EMPTY)
    lock_business(question.match.business_id)
    match = Match.objects.select_for_update().get(pk=question.match_id)
    locked: Question = Question.objects.select_for_update().get(pk=question.pk)
    locked.match = match
    if locked.answered_at is not None:
        if locked.answer == text:
            return locked
        raise AnswerRefused(AnswerRefusal.ANSWERED_ALREADY)
    if not consent_state(match).is_open:
        raise AnswerRefused(AnswerRefusal.CONSENT_MISSING)
    advance(MATCH, match, "answer", actor=actor)
    locked.answer, locked.answered_by, locked.answered_at = text, actor.user, timezone.now()
    locked.save(update_fields=["answer", "answered_by", "answered_at"])
    AnswerFile.objects.bulk_create(
        AnswerFile(
            question=locked,
            name=each.name,
            media_type=each.media_type,
            size=len(each.content),
            sha256=hashlib.sha256(each.content).hexdigest(),
            content=each.content,
        )
        for each in files
    )
    record(
        Verb.QUESTION_ANSWERED,
        actor=actor,
        obj=locked,
        data={
            "match": str(match.pk),
            "files": [hashlib.sha256(each.content).hexdigest() for each in files],
        },
    )
    resume_clock(match, on=timezone.localdate())
    notifications.question_answered(locked)
    return locked


@transaction.atomic
def read_file(*, actor: Actor, file: AnswerFile) -> ServedFile:
    """The content of a file, for somebody who found it through `visible_to`; audited every time.

    Raises FileClosed for the institution once consent was withdrawn.
    """
    match = file.question.match
    if actor.kind == Role.INSTITUTION_STAFF and not consent_state(match).is_open:
        raise FileClosed
    record(Verb.FILE_READ, actor=actor, obj=file, data={"match": str(match.pk)})
    content = AnswerFile.objects.values_list("content", flat=True).get(pk=file.pk)
    return ServedFile(file.name, file.media_type, bytes(content))
