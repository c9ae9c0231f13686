"""Sections of an owner's match page: consent, questions, ledger; its view asks for them.

Nothing is changed here. What concerns terms and money is in `money_sections`.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db.models import Count, Max, Prefetch, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from financing.consent_state import ConsentState, PersonConcerned
from financing.disclosure_texts import blind_facts
from financing.forms.answers import QuestionAnswerForm
from financing.forms.consents import PersonForm
from financing.identity_fields import IDENTITY_KEYS, labels_of, personal_labels
from financing.identity_texts import Identity, identity_of
from financing.models.disclosures import Disclosure, DisclosureReading, DisclosureStage
from financing.models.matches import Match, MatchStatus
from financing.models.person_consents import PersonAnswer
from financing.models.questions import AnswerFile, Question
from financing.request_texts import NextAction
from sipo_portal.accounts.models import User
from sipo_portal.ui import formats

READINGS_SHOWN = 20


# --- consent ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PersonRow:
    """A person concerned as the page shows them; `form` where the owner may have them asked."""

    person: PersonConcerned
    labels: list[Any]
    status: str
    tone: str
    hint: str
    form: PersonForm | None


def consent_section(
    state: ConsentState, user: User, *, bound: PersonForm | None = None
) -> dict[str, Any]:
    """Parameters of sections/consent.html."""
    match = state.match
    return {
        "match": match,
        "state": state,
        "fields": labels_of(list(IDENTITY_KEYS)),
        "persons": [_person_row(each, state, user, bound) for each in state.persons],
        "missing_text": _missing_text(state),
        "is_waiting_for_button": state.may_be_given and state.is_complete and not state.identity,
    }


def _person_row(
    person: PersonConcerned, state: ConsentState, user: User, bound: PersonForm | None
) -> PersonRow:
    asked = person.asked
    answer = PersonAnswer(asked.answer) if asked else None
    status, tone = {
        None: (_("Not asked yet"), "attention"),
        PersonAnswer.OPEN: (_("Asked, no answer yet"), "progress"),
        PersonAnswer.GIVEN: (_("Consented"), "good"),
        PersonAnswer.REFUSED: (_("Refused"), "bad"),
        PersonAnswer.WITHDRAWN: (_("Withdrawn"), "bad"),
    }[answer]
    may_ask = state.may_be_given and answer in (None, PersonAnswer.OPEN, PersonAnswer.WITHDRAWN)
    return PersonRow(
        person=person,
        labels=personal_labels(person.roles),
        status=status,
        tone=tone,
        hint=_person_hint(person),
        form=_person_form(person, state, user, bound) if may_ask else None,
    )


def _person_hint(person: PersonConcerned) -> str:
    asked = person.asked
    if asked is None:
        return ""
    day = formats.moment(asked.answered_at or asked.asked_at)
    words = {"when": day, "email": asked.email}
    if asked.answer == PersonAnswer.OPEN:
        return _("Mail sent to %(email)s, %(when)s") % words
    if asked.answer == PersonAnswer.REFUSED:
        return _("%(when)s. The link in the mail still works: only this person can change it.") % {
            "when": day
        }
    return day


def _person_form(
    person: PersonConcerned, state: ConsentState, user: User, bound: PersonForm | None
) -> PersonForm:
    if (
        bound is not None
        and bound.data.get("role") == person.role
        and bound.data.get("name") == person.name
    ):
        return bound
    known = person.asked.email if person.asked else user.email if user.name == person.name else ""
    return PersonForm(
        action=reverse("financing:person_ask", args=[state.match.pk]),
        is_again=person.asked is not None,
        initial={"role": person.role, "name": person.name, "email": known},
        auto_id=f"id_{person.role}_{state.persons.index(person)}_%s",
    )


def _missing_text(state: ConsentState) -> str:
    count = len(state.missing)
    if not count:
        return ""
    return ngettext(
        "%(count)d person has not consented: %(names)s",
        "%(count)d persons have not consented: %(names)s",
        count,
    ) % {
        "count": count,
        "names": ("、" if formats.in_chinese() else ", ").join(each.name for each in state.missing),
    }


# --- questions ----------------------------------------------------------------------------------


def questions_of(match: Match, user: User) -> list[Question]:
    """Questions with their files, which are read without their content."""
    files = AnswerFile.objects.visible_to(user).defer("content")
    rows = Question.objects.visible_to(user).filter(match=match)
    return list(rows.prefetch_related(Prefetch("files", files)).order_by("asked_at", "pk"))


def question_section(
    state: ConsentState, questions: list[Question], *, bound: QuestionAnswerForm | None = None
) -> dict[str, Any]:
    """Parameters of sections/question.html."""
    match = state.match
    unanswered = next((each for each in questions if each.answered_at is None), None)
    is_waiting = unanswered is not None and match.status == MatchStatus.WAITING
    form = bound
    if form is None and unanswered is not None and is_waiting and state.is_open:
        form = QuestionAnswerForm(
            action=reverse("financing:question_answer", args=[match.pk, unanswered.pk])
        )
    return {
        "match": match,
        "answered": [each for each in questions if each.answered_at is not None],
        "unanswered": unanswered if is_waiting else None,
        "form": form,
        "needs_consent": is_waiting and not state.is_open,
    }


# --- ledger -------------------------------------------------------------------------------------


def disclosures_of(user: User) -> QuerySet[Any]:
    """What was disclosed of the user's businesses, latest first, each with its last readings."""
    readings = DisclosureReading.objects.visible_to(user).select_related("read_by")
    return (
        Disclosure.objects.visible_to(user)
        .select_related("match__business", "institution")
        .annotate(reading_count=Count("readings"), last_read_at=Max("readings__read_at"))
        .prefetch_related(
            Prefetch("readings", readings[:READINGS_SHOWN], to_attr="latest_readings")
        )
        .order_by("-disclosed_at", "-pk")
    )


def ledger_entry(row: Any) -> dict[str, Any]:
    """One disclosure as the ledger shows it. `row` comes from `disclosures_of`."""
    is_blind = row.stage == DisclosureStage.BLIND
    return {
        "row": row,
        "facts": blind_facts(row.fields) if is_blind else [],
        "identity": None if is_blind else _with_plain_heads(identity_of(row.fields)),
        "more": row.reading_count - len(row.latest_readings),
    }


def _with_plain_heads(identity: Identity) -> Identity:
    """The appraisal's cell is a text here, too long to stand on one line of a phone."""
    heads = [{"label": head["label"]} for head in identity.patent_heads]
    return replace(identity, patent_heads=heads)


# --- what to do now -----------------------------------------------------------------------------


def match_now(state: ConsentState, questions: list[Question], *, today: date) -> NextAction | None:
    """The one thing that answers "what must I do now, and by when?"; None: see the other sections.

    Terms, acceptance and what follows are told by the sections of `money_sections`.
    """
    match = state.match
    if match.status == MatchStatus.WAITING and any(q.answered_at is None for q in questions):
        return _answer_now(state)
    if match.status in (MatchStatus.IN_REVIEW, MatchStatus.RETURNED):
        return NextAction(
            _("The branch office reviews this match"),
            _("Nothing goes to the institution before it approves."),
            when=_expected(match.deadline_on),
        )
    if match.status not in (MatchStatus.REFERRED, MatchStatus.IN_STUDY, MatchStatus.WAITING):
        return None
    if state.is_open:
        return NextAction(
            _("Nothing to do now: the institution studies your request"),
            _("It knows your business and can ask you, offer terms or decline."),
            when=_expected(match.deadline_on),
        )
    return _consent_now(state)


def _answer_now(state: ConsentState) -> NextAction:
    if not state.is_open:
        return NextAction(
            _("The institution asks you something"),
            _("An answer says who you are, so the consents below have to be complete first."),
            when=_by(state.match.deadline_on),
            tone="attention",
            action_url="#consent",
            action_label=_("Go to the consents"),
        )
    return NextAction(
        _("The institution asks you something"),
        _("It goes on as soon as you answer."),
        when=_by(state.match.deadline_on),
        tone="attention",
        action_url="#question",
        action_label=_("Answer now"),
    )


def _consent_now(state: ConsentState) -> NextAction:
    match = state.match
    if state.was_closed:
        return NextAction(
            _("A consent was withdrawn: the institution cannot go on"),
            _("It can read nothing more of you. Consent again below if you still want its terms."),
            when=_by(match.deadline_on) if match.interested_at else "",
            tone="attention",
            action_url="#consent",
            action_label=_("Read and decide"),
        )
    if state.business is None:
        title = (
            _("The institution is interested: may it know who you are?")
            if match.interested_at
            else _("May the institution know who you are?")
        )
        return NextAction(
            title,
            _("It cannot offer terms before. You decide below, and can take it back any time."),
            when=_by(match.deadline_on) if match.interested_at else "",
            tone="attention",
            action_url="#consent",
            action_label=_("Read and decide"),
        )
    if any(each.asked is None or each.asked.answer != PersonAnswer.OPEN for each in state.missing):
        return NextAction(
            _("Other persons have to consent too"),
            _missing_text(state),
            when=_by(match.deadline_on) if match.interested_at else "",
            tone="attention",
            action_url="#persons",
            action_label=_("See who is missing"),
        )
    return NextAction(
        _("Waiting for the persons you asked"),
        _missing_text(state),
        when=_by(match.deadline_on) if match.interested_at else "",
        action_url="#persons",
        action_label=_("See who is missing"),
    )


def _by(day: date | None) -> str:
    return _("Please do this by %(day)s.") % {"day": formats.day(day)} if day else ""


def _expected(day: date | None) -> str:
    return _("An answer is expected by %(day)s.") % {"day": formats.day(day)} if day else ""
