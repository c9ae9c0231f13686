"""One match as its owner follows it: consent, persons, questions, terms, what was disclosed."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from financing import consent_texts, match_sections
from financing.consent_state import consent_state, consents_for
from financing.forms.answers import QuestionAnswerForm
from financing.forms.consents import PersonForm
from financing.forms.terms_answers import DeliveryForm
from financing.guarantees import guarantees_of
from financing.models.matches import Match, MatchDecision, MatchStatus
from financing.models.questions import Question
from financing.money_sections import money_sections
from financing.services import consents, person_consents, questions
from financing.services.consents import ConsentRefused
from financing.services.questions import AnswerRefused
from sipo_portal.accounts import rate_limits
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.workflow.lifecycle import TransitionRefused

PAGE = "financing/matches/page.html"
# Mails to persons that one account may cause.
ASK_RATE = "20/h/user"


@roles_required(Role.OWNER)
@require_safe
def owner_match(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """What must I do now, and everything about this match below."""
    return match_page(request, own_match(request, pk))


def own_match(request: SignedInRequest, pk: UUID) -> Match:
    """The match, if it is of a business of the user."""
    rows = Match.objects.visible_to(request.user).select_related(
        "business",
        "institution",
        "loan_request",
        "loan_offer",
        "insurance_request",
        "insurance_offer",
    )
    return get_object_or_404(rows, pk=pk)


def match_page(
    request: SignedInRequest,
    match: Match,
    *,
    person_form: PersonForm | None = None,
    answer_form: QuestionAnswerForm | None = None,
    delivery_form: DeliveryForm | None = None,
) -> HttpResponse:
    """The page; a form that was wrong is shown with what was typed."""
    user, today = request.user, timezone.localdate()
    state = consent_state(match)
    asked = match_sections.questions_of(match, user)
    money = money_sections(match, user, today=today, bound=delivery_form)
    context: dict[str, Any] = {
        # Options are for those who still choose.
        "guarantees": guarantees_of(match, on=today)
        if match.is_live and match.status != MatchStatus.ACCEPTED
        else [],
        "match": match,
        "now": match_sections.match_now(state, asked, today=today) or money.pop("money_now"),
        "form": person_form or answer_form or delivery_form,
        "consent": match_sections.consent_section(state, user, bound=person_form),
        "question": match_sections.question_section(state, asked, bound=answer_form),
        "decisions": MatchDecision.objects.visible_to(user).filter(match=match),
        "ledger": [
            match_sections.ledger_entry(row)
            for row in match_sections.disclosures_of(user).filter(match=match)
        ],
    }
    return render(request, PAGE, context | money)


# --- consent ------------------------------------------------------------------------------------


@roles_required(Role.OWNER)
@require_POST
def consent_give(request: SignedInRequest, pk: UUID) -> HttpResponseBase:
    """The business agrees; posted twice, it is one consent."""
    match = own_match(request, pk)
    try:
        consents.give_consent(actor=Actor.of(request.user), match=match)
    except ConsentRefused as refused:
        messages.warning(request, consent_texts.refusal_text(refused))
    else:
        if consent_state(match).is_open:
            messages.success(request, _("Consent given. The institution can see who you are now."))
        else:
            messages.success(
                request, _("Consent given. The institution sees nothing until all persons consent.")
            )
    return _back(pk, "consent")


@roles_required(Role.OWNER)
@require_POST
def consent_withdraw(request: SignedInRequest, pk: UUID) -> HttpResponseBase:
    """One click, nothing asked: the wording of the button says what it does."""
    match = own_match(request, pk)
    consent = consents_for(match).filter(withdrawn_at=None).first()
    if consent is not None:
        consents.withdraw_consent(actor=Actor.of(request.user), consent=consent)
    messages.success(request, _("Consent withdrawn. The institution can read nothing more of you."))
    return _back(pk, "consent")


@roles_required(Role.OWNER)
@require_POST
def person_ask(request: SignedInRequest, pk: UUID) -> HttpResponseBase:
    """Send a person concerned a link of their own."""
    match = own_match(request, pk)
    form = PersonForm(
        request.POST,
        action=reverse("financing:person_ask", args=[match.pk]),
        is_again=False,
        auto_id="id_person_%s",
    )
    if not form.is_valid():
        return match_page(request, match, person_form=form)
    if not rate_limits.is_within(request, "ask_person", ASK_RATE):
        messages.error(request, _("Too many mails within an hour. Please try again later."))
        return _back(pk, "persons")
    try:
        row = person_consents.ask_person(
            actor=Actor.of(request.user), match=match, **form.cleaned_data
        )
    except ConsentRefused as refused:
        messages.warning(request, consent_texts.refusal_text(refused))
    else:
        messages.success(request, _("A mail with a link goes to %(email)s.") % {"email": row.email})
    return _back(pk, "persons")


# --- questions ----------------------------------------------------------------------------------


@roles_required(Role.OWNER)
@require_POST
def question_answer(request: SignedInRequest, pk: UUID, question_pk: int) -> HttpResponseBase:
    """Answer an institution's question with text and files."""
    match = own_match(request, pk)
    rows = Question.objects.visible_to(request.user).filter(match=match)
    question = get_object_or_404(rows.select_related("match"), pk=question_pk)
    form = QuestionAnswerForm(
        request.POST,
        request.FILES,
        action=reverse("financing:question_answer", args=[match.pk, question.pk]),
    )
    if not form.is_valid():
        if question.answered_at is not None:
            return _back(pk, "question")
        return match_page(request, match, answer_form=form)
    try:
        questions.answer_question(
            actor=Actor.of(request.user), question=question, **form.cleaned_data
        )
    except AnswerRefused as refused:
        messages.warning(request, consent_texts.answer_refusal_text(refused))
    except TransitionRefused:
        messages.warning(request, _("This question needs no answer any more."))
    else:
        messages.success(
            request, _("Your answer was sent. The institution goes on with its study.")
        )
    return _back(pk, "question")


def _back(pk: UUID, part: str) -> HttpResponseBase:
    return redirect(f"{reverse('financing:owner_match', args=[pk])}#{part}")
