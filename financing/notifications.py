"""Which event tells whom, with which frozen payload: one function per event, called by services.

The words are in `templates/emails/<kind>_subject.txt` and `<kind>.txt`. An institution is told the
reference of its referral and days, never more: its notices are blind before and after consent.
Every function must be called in the transaction of the act.
"""

from dataclasses import asdict
from typing import Any

from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils import translation

from businesses.models import Patent
from financing import recipients
from financing.models import LoanOffer, LoanRequest, Match, MatchDecision
from financing.models.drawdowns import Drawdown
from financing.models.institutions import Institution
from financing.models.insurance_offers import InsuranceOffer
from financing.models.insurance_policies import InsurancePolicy
from financing.models.insurance_requests import InsuranceRequest
from financing.models.matches import MatchStatus
from financing.models.pledges import Pledge
from financing.models.questions import Question
from financing.models.terms import Terms
from financing.notice_payloads import (
    InBothLanguages,
    Kind,
    LenderPayload,
    OfferPayload,
    OfficePayload,
    OwnerPayload,
    PatentPayload,
    RequestPayload,
)
from sipo_portal.accounts.models import User
from sipo_portal.notices.services import notify
from sipo_portal.offices.models import BranchOffice

AnyRequest = LoanRequest | InsuranceRequest
AnyOffer = LoanOffer | InsuranceOffer
LANGUAGES = ("zh-hans", "en")


# --- review -------------------------------------------------------------------------------------


def match_referred(match: Match) -> None:
    """Approved: the institution finds it in its inbox, the business may consent already."""
    _tell_lender(Kind.REFERRAL_ARRIVED, match)
    _tell_owner(Kind.MATCH_REFERRED, match)


def match_rejected(match: Match, decision: MatchDecision) -> None:
    """The coordinator ended it; the reason is told only where it is shown to the business."""
    reason = _both(decision.get_reason_display) if decision.is_shown_to_business else None
    _tell_owner(Kind.MATCH_REJECTED, match, reason=reason)


def match_returned(match: Match) -> None:
    _tell_owner(Kind.MATCH_RETURNED, match)


def match_resubmitted(match: Match) -> None:
    _tell_office(Kind.MATCH_RESUBMITTED, match)


# --- consent and study --------------------------------------------------------------------------


def consent_asked(match: Match) -> None:
    """A lender waits for the consent of the business."""
    _tell_owner(Kind.CONSENT_ASKED, match)


def consent_given(match: Match, *, key: str) -> None:
    """The identity is open now. `key`: since when, as it may close and open again."""
    _tell_lender(Kind.CONSENT_GIVEN, match, key=key)


def consent_withdrawn(match: Match, *, key: str) -> None:
    _tell_lender(Kind.CONSENT_WITHDRAWN, match, key=key)


def interest_declared(match: Match) -> None:
    _tell_owner(Kind.INTEREST_DECLARED, match)


def question_asked(question: Question) -> None:
    """The text itself stays on the page: mail is not the place for it."""
    _tell_owner(Kind.QUESTION_ASKED, question.match, key=question)


def question_answered(question: Question) -> None:
    _tell_lender(Kind.QUESTION_ANSWERED, question.match, key=question)


def match_declined(match: Match, decision: MatchDecision | None = None) -> None:
    """The institution said no."""
    shown = decision is not None and decision.is_shown_to_business
    reason = _both(decision.get_reason_display) if decision is not None and shown else None
    _tell_owner(Kind.MATCH_DECLINED, match, reason=reason)
    _tell_office(Kind.DECLINED_OFFICE, match)


def match_withdrawn(match: Match) -> None:
    """The business took its request back; an institution that never saw the match is not told."""
    if match.referred_at is not None:
        _tell_lender(Kind.MATCH_WITHDRAWN, match)


# --- terms and acceptance -----------------------------------------------------------------------


def terms_offered(terms: Terms) -> None:
    _tell_owner(
        Kind.TERMS_OFFERED,
        terms.match,
        key=terms,
        amount=str(terms.amount),
        deadline_on=str(terms.valid_until),
    )


def terms_accepted(terms: Terms) -> None:
    _tell_lender(Kind.TERMS_ACCEPTED, terms.match, key=terms)
    _tell_office(Kind.ACCEPTED_OFFICE, terms.match, key=terms)


def terms_declined(terms: Terms) -> None:
    _tell_lender(Kind.TERMS_DECLINED, terms.match, key=terms)


def terms_lapsed(terms: Terms) -> None:
    """Their last day is over unanswered."""
    until = str(terms.valid_until)
    _tell_owner(Kind.TERMS_LAPSED, terms.match, key=terms, deadline_on=until)
    _tell_lender(Kind.TERMS_LAPSED_LENDER, terms.match, key=terms, deadline_on=until)


def match_superseded(match: Match, *, accepted: Match) -> None:
    """Another match was accepted. The business that accepted it knows; another one is told."""
    if match.referred_at is not None:
        _tell_lender(Kind.SUPERSEDED_LENDER, match)
    if match.business_id != accepted.business_id:
        _tell_owner(Kind.MATCH_SUPERSEDED, match)


def match_restored(match: Match) -> None:
    """An alternative is back in review after the accepted match fell through."""
    _tell_owner(Kind.MATCH_RESTORED, match)


def fallen_through(match: Match, *, told_by: str = "") -> None:
    """After acceptance; `told_by`: the role that said so, which needs no notice of its own."""
    if told_by != "owner":
        _tell_owner(Kind.FALLEN_THROUGH, match)
    if told_by != "institution_staff":
        _tell_lender(Kind.FALLEN_THROUGH_LENDER, match)
    _tell_office(Kind.FALLEN_THROUGH_OFFICE, match)


# --- completion ---------------------------------------------------------------------------------


def drawdown_recorded(drawdown: Drawdown) -> None:
    _tell_owner(Kind.DRAWDOWN_RECORDED, drawdown.match, key=drawdown, amount=str(drawdown.amount))


def match_completed(match: Match) -> None:
    """The money is out or the cover is on; the business is asked to confirm what it got."""
    _tell_owner(Kind.COMPLETED, match)
    _tell_office(Kind.COMPLETED_OFFICE, match)


def pledge_registered(pledge: Pledge) -> None:
    number = pledge.application_number
    _tell_owner(Kind.PLEDGE_REGISTERED, pledge.match, key=pledge, number=number)


def pledge_released(pledge: Pledge) -> None:
    number = pledge.application_number
    _tell_owner(Kind.PLEDGE_RELEASED, pledge.match, key=pledge, number=number)


def policy_issued(policy: InsurancePolicy) -> None:
    _tell_owner(
        Kind.POLICY_ISSUED,
        policy.match,
        key=policy,
        number=policy.number,
        deadline_on=str(policy.ends_on),
    )


def renewal_due(policy: InsurancePolicy) -> None:
    """Sixty days before the end of the cover."""
    _tell_owner(
        Kind.RENEWAL_DUE,
        policy.match,
        key=policy,
        number=policy.number,
        deadline_on=str(policy.ends_on),
    )


def delivery_confirmed(match: Match, *, is_as_agreed: bool) -> None:
    _tell_lender(Kind.DELIVERY_CONFIRMED, match, is_as_agreed=is_as_agreed)


# --- clocks -------------------------------------------------------------------------------------


def reminder(match: Match, which: str) -> None:
    """`which`: half or end of the stage's time; told to whoever is awaited.

    At the end of an institution's or a business's time the office hears of it too: it chases
    silence.
    """
    is_last = which == "end"
    deadline_on = str(match.deadline_on or "")
    day: dict[str, Any] = {"deadline_on": deadline_on, "is_last": is_last}
    key = f"{which}-{match.clock_stage}-{match.stage_began_on}"
    if match.clock_stage == "review":
        _tell_office(Kind.REVIEW_REMINDER, match, key=key, **day)
        return
    if match.clock_stage in ("first_answer", "study"):
        _tell_lender(Kind.ANSWER_REMINDER, match, key=key, **day)
    elif match.clock_stage == "completion":
        _tell_lender(Kind.COMPLETION_REMINDER, match, key=key, **day)
    elif match.clock_stage == "terms":
        _tell_owner(Kind.TERMS_REMINDER, match, key=key, **day)
    else:
        _tell_owner(Kind.TURN_REMINDER, match, key=key, **day)
    if is_last:
        _tell_office(Kind.SILENCE, match, key=key, **day)


def escalated(match: Match, *, from_office: BranchOffice | None) -> None:
    """The review is the parent office's now (`match.escalated_to`); both offices are told."""
    office = _labels(match.escalated_to) if match.escalated_to is not None else None
    deadline_on = str(match.deadline_on or "")
    key = f"to-{match.escalated_to_id}-{match.stage_began_on}"
    _tell_office(
        Kind.REVIEW_ESCALATED,
        match,
        key=key,
        deadline_on=deadline_on,
        office=_labels(from_office) if from_office is not None else None,
    )
    people = recipients.office_people([from_office])
    _tell_office(Kind.REVIEW_HANDED_UP, match, people=people, key=key, office=office)


def match_expired(match: Match) -> None:
    """The clock ended it after silence; the request looks for others."""
    _tell_owner(Kind.MATCH_EXPIRED, match)
    if match.referred_at is not None:
        _tell_lender(Kind.EXPIRED_LENDER, match)
    _tell_office(Kind.EXPIRED_OFFICE, match)


def request_reminder(request: AnyRequest, *, lapses_on: Any) -> None:
    """Not refreshed for long: is it still wanted?"""
    _tell_about_request(Kind.REQUEST_REMINDER, request, lapses_on=str(lapses_on))


def request_expired(request: AnyRequest) -> None:
    _tell_about_request(Kind.REQUEST_EXPIRED, request)


def offer_reminder(offer: AnyOffer, *, lapses_on: Any) -> None:
    _tell_about_offer(Kind.OFFER_REMINDER, offer, lapses_on=str(lapses_on))


def offer_closed(offer: AnyOffer) -> None:
    """By the clock: its last day is over, or nobody refreshed it."""
    _tell_about_offer(Kind.OFFER_CLOSED, offer, closes_on=str(offer.closes_on or ""))


def patent_ended(patent: Patent) -> None:
    payload = PatentPayload(
        patent.business.name, patent.title, patent.application_number, str(patent.ended_on)
    )
    notify(
        recipients=recipients.business_people(patent.business),
        kind=Kind.PATENT_ENDED,
        payload=asdict(payload),
        path=reverse("businesses:patent_detail", args=[patent.pk]),
        event_key=f"{Kind.PATENT_ENDED}:{patent.pk}",
    )


# --- telling ------------------------------------------------------------------------------------


def _tell_owner(kind: Kind, match: Match, *, key: Model | str = "", **details: Any) -> None:
    details.setdefault("deadline_on", str(match.deadline_on or ""))
    payload = OwnerPayload(
        business=match.business.name,
        institution=_labels(match.institution),
        offer=match.offer.name,
        **details,
    )
    notify(
        recipients=recipients.business_people(match.business),
        kind=kind,
        payload=asdict(payload),
        path=_owner_path(match),
        event_key=_event_key(kind, match, key),
    )


def _tell_lender(kind: Kind, match: Match, *, key: Model | str = "", **details: Any) -> None:
    details.setdefault("deadline_on", str(match.deadline_on or ""))
    notify(
        recipients=recipients.institution_people(match.institution),
        kind=kind,
        payload=asdict(LenderPayload(reference=match.reference, **details)),
        path=reverse("admin:financing_referral_change", args=[match.pk]),
        event_key=_event_key(kind, match, key),
    )


def _tell_office(
    kind: Kind,
    match: Match,
    *,
    key: Model | str = "",
    people: list[User] | None = None,
    **details: Any,
) -> None:
    details.setdefault("deadline_on", str(match.deadline_on or ""))
    if people is None:
        people = recipients.office_people([recipients.responsible_office(match)])
    payload = OfficePayload(
        reference=match.reference,
        business=match.business.name,
        institution=_labels(match.institution),
        **details,
    )
    notify(
        recipients=people,
        kind=kind,
        payload=asdict(payload),
        path=reverse("financing:match_detail", args=[match.pk]),
        event_key=_event_key(kind, match, key),
    )


def _tell_about_request(kind: Kind, request: AnyRequest, **details: Any) -> None:
    name = "request_detail" if isinstance(request, LoanRequest) else "insurance_request_detail"
    notify(
        recipients=recipients.business_people(request.business),
        kind=kind,
        payload=asdict(RequestPayload(business=request.business.name, **details)),
        path=_page(f"financing:{name}", request.pk),
        event_key=_lasting_key(kind, request),
    )


def _tell_about_offer(kind: Kind, offer: AnyOffer, **details: Any) -> None:
    name = offer._meta.model_name
    notify(
        recipients=recipients.institution_people(offer.institution),
        kind=kind,
        payload=asdict(OfferPayload(offer=offer.name, **details)),
        path=_page(f"admin:financing_{name}_change", offer.pk),
        event_key=_lasting_key(kind, offer),
    )


def _event_key(kind: Kind, match: Match, key: Model | str) -> str:
    """One per event: the row it is about, or else the moment the match took its state."""
    if isinstance(key, Model):
        key = str(key.pk)
    elif not key:
        changed_at = match.status_changed_at or match.created_at
        key = f"{changed_at:%Y%m%d%H%M%S%f}"
    return f"{kind}:{match.pk}:{key}"


def _lasting_key(kind: Kind, row: AnyRequest | AnyOffer) -> str:
    """Once per refresh: refreshed and forgotten again is another event."""
    since = row.refreshed_at or row.created_at
    return f"{kind}:{row._meta.model_name}:{row.pk}:{since:%Y%m%d%H%M%S%f}"


def _owner_path(match: Match) -> str:
    # The page of one match is made once it was referred.
    if match.status in (MatchStatus.IN_REVIEW, MatchStatus.RETURNED, MatchStatus.REJECTED):
        name = "request_detail" if match.loan_request_id else "insurance_request_detail"
        return _page(f"financing:{name}", match.request.pk)
    return reverse("financing:owner_match", args=[match.pk])


def _labels(row: Institution | BranchOffice) -> InBothLanguages:
    return {"zh-hans": row.name, "en": row.name_en or row.name}


def _both(label: Any) -> InBothLanguages:
    """A choice's words in each language, so that a later change of words changes no old notice."""
    found = {}
    for language in LANGUAGES:
        with translation.override(language):
            found[language] = str(label() if callable(label) else label)
    return found


def _page(name: str, pk: object) -> str:
    """The row's page; "" for rows of a kind that has none."""
    try:
        return reverse(name, args=[pk])
    except NoReverseMatch:
        return ""
