"""Where a natural person consents, refuses or withdraws, without an account: by a link of theirs.

The link's secret stays in the first address only. It is exchanged for an entry in the session, so
that neither history, referrer nor an error log of the page itself holds it.
"""

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from financing import consent_texts
from financing.consent_state import CONSENT_STATUSES
from financing.forms.person_answers import PersonAnswerForm
from financing.identity_fields import personal_labels
from financing.models.person_consents import PersonAnswer, PersonConsent, PersonRole
from financing.services.consents import ConsentRefused
from financing.services.person_consents import answer_person, roles_of
from sipo_portal.accounts import rate_limits
from sipo_portal.accounts.access import public

SESSION_KEY = "person_consent"
RATE = "30/m/ip"


@public
@require_safe
@never_cache
def person_link(request: HttpRequest, token: str) -> HttpResponseBase:
    """Always leads on: what is wrong with a link is said at an address without the secret."""
    request.session.pop(SESSION_KEY, None)
    if rate_limits.is_within(request, "person_link", RATE):
        pk = PersonConsent.objects.filter(token=token).values_list("pk", flat=True).first()
        if pk is not None:
            request.session[SESSION_KEY] = [pk, _digest(token)]
    return redirect("financing:person_answer")


@public
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def person_answer(request: HttpRequest) -> HttpResponseBase:
    """Who wants to share what with whom; consent, refuse, later withdraw."""
    if not rate_limits.is_within(request, "person_answer", RATE):
        return render(request, "429.html", status=429)
    row = _row(request)
    if row is None:
        return render(request, "financing/person_consents/unknown.html", status=404)
    if request.method == "POST":
        form = PersonAnswerForm(request.POST)
        if not form.is_valid():
            return redirect("financing:person_answer")
        try:
            answer_person(row.token, answer=form.cleaned_data["answer"])
        except PersonConsent.DoesNotExist:
            return render(request, "financing/person_consents/unknown.html", status=404)
        except ConsentRefused as refused:
            return _page(request, row, refusal=consent_texts.refusal_text(refused))
        return redirect("financing:person_answer")
    return _page(request, row)


def _row(request: HttpRequest) -> PersonConsent | None:
    """The row of the link opened last in this browser; none once another link replaced it."""
    known = request.session.get(SESSION_KEY)
    if not known:
        return None
    rows = PersonConsent.objects.select_related(
        "match__business__region", "match__institution", "match__loan_request"
    )
    row = rows.filter(pk=known[0]).first()
    return row if row is not None and _digest(row.token) == known[1] else None


def _page(request: HttpRequest, row: PersonConsent, refusal: str = "") -> HttpResponse:
    match = row.match
    roles = roles_of(row)
    is_over = match.status not in CONSENT_STATUSES
    context: dict[str, Any] = {
        "row": row,
        "refusal": refusal,
        "business": match.business.name,
        "institution": match.institution.label,
        "is_loan": match.loan_request_id is not None,
        "roles": [PersonRole(role).label for role in roles],
        "labels": personal_labels(roles),
        "is_over": is_over,
        "may_consent": not is_over and row.answer in (PersonAnswer.OPEN, PersonAnswer.REFUSED),
        "may_refuse": not is_over and row.answer == PersonAnswer.OPEN,
        "may_withdraw": row.answer == PersonAnswer.GIVEN,
        "answer_text": _answer_text(row),
    }
    return render(request, "financing/person_consents/page.html", context)


def _answer_text(row: PersonConsent) -> str:
    match PersonAnswer(row.answer):
        case PersonAnswer.GIVEN:
            return _("You have consented. You can take it back at any time, here.")
        case PersonAnswer.REFUSED:
            return _("You have refused. Nothing of you is shared. You can still change your mind.")
        case PersonAnswer.WITHDRAWN:
            return _("You have withdrawn your consent. Nothing more of you can be read.")
    return ""


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
