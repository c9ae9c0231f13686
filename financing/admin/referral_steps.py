"""The lender's answer to a referral as steps of its page: interest, study, terms, declining.

Mixed into the ReferralAdmin; the acts themselves are `services.studies` and `services.terms`.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from financing.admin.steps import Step, StepConflict, StepPages, Summary
from financing.consent_state import ConsentState, consent_state
from financing.forms.referrals import (
    DeclineForm,
    LoanTermsForm,
    OfferedTermsForm,
    PremiumTermsForm,
    QuestionForm,
)
from financing.lifecycles import MATCH
from financing.match_rows import nominal_rate_percent, with_criteria
from financing.models.insurance_offers import InsuranceOffer
from financing.models.loan_offers import LoanOffer
from financing.models.matches import Match, MatchStatus
from financing.models.referrals import Referral
from financing.offer_facts import rate_text
from financing.pair_kinds import kind_of
from financing.referral_texts import (
    REFUSALS,
    capacity_fact,
    cost_facts,
    exhausted_text,
    terms_facts,
)
from financing.services import studies
from financing.services.capacity import CapacityExhausted, free_capacity
from financing.services.matches import MatchRefused, Reason
from financing.services.offer_terms import FeeTerms
from financing.services.offered_terms import OfferedTerms, amount_range, validate_offered
from financing.services.terms import offer_terms
from financing.terms_costs import posted_premium
from sipo_portal.audit.actors import Actor
from sipo_portal.offices.working_days import add_working_days
from sipo_portal.ui import formats
from sipo_portal.ui.scoped_relations import visible_rows

# How long terms stand unless the lender says otherwise.
USUAL_VALID_WORKING_DAYS = 10
ACTIONS = ("interest", "study", "terms", "ask", "decline")
DECLINABLE = (MatchStatus.REFERRED, MatchStatus.IN_STUDY, MatchStatus.WAITING)


class ReferralSteps(StepPages):
    """See the module's docstring. Steps of other parts are added by mixins before this one."""

    row_converter = "uuid"
    step_actions: Sequence[str] = ACTIONS
    step_templates = {"terms": "admin/financing/referral/terms_step.html"}

    def steps(self, request: HttpRequest, obj: Referral) -> Sequence[Step]:
        is_open = consent_of(obj).is_open
        steps: list[Step] = []
        if obj.status == MatchStatus.REFERRED:
            if is_open:
                steps.append(_study())
            elif obj.interested_at is None:
                steps.append(_interest())
        if obj.status == MatchStatus.IN_STUDY and is_open:
            steps += [_terms(), _ask()]
        if obj.status in DECLINABLE:
            steps.append(_decline())
        return steps

    def step_form(self, request: HttpRequest, obj: Referral, action: str, data: Any = None) -> Any:
        row_url = self._row_url(obj)
        if action == "decline":
            return DeclineForm(data, kind=kind_of(obj).name, cancel_url=row_url)
        if action == "ask":
            return QuestionForm(data, cancel_url=row_url)
        if action == "terms":
            return terms_form(_whole(obj), data, cancel_url=row_url, on=timezone.localdate())
        return super().step_form(request, obj, action, data)

    def step_summary(self, request: HttpRequest, obj: Referral, action: str, form: Any) -> Any:
        if action != "terms":
            return super().step_summary(request, obj, action, form)
        match, today, offered = _whole(obj), timezone.localdate(), offered_of(form)
        validate_offered(match, offered, on=today)
        free_amount, free_count = free_capacity(match.offer)
        if offered.amount > free_amount or free_count == 0:
            # What is booked may be this very form, posted a moment ago: that is no rival.
            status = visible_rows(Referral, request).get(pk=obj.pk).status
            MATCH.find(status, "offer_terms", request.user.role)  # type: ignore[union-attr]
            raise _too_late(free_amount, free_count)
        return Summary(
            consequence=_(
                "You are bound by these terms until %(day)s. The business reads them beside the "
                "terms you posted and accepts or declines."
            )
            % {"day": formats.day(offered.valid_until)},
            facts=[
                *terms_facts(
                    offered, valid_until=offered.valid_until, conditions=offered.conditions
                ),
                *cost_facts(match, offered, on=today),
                capacity_fact(match.offer, offered.amount),
            ],
            label=_("Offer these terms"),
        )

    def take_step(self, request: HttpRequest, obj: Referral, action: str) -> str | tuple[str, Any]:
        actor = Actor.of(request.user)
        try:
            if action == "interest":
                match = studies.declare_interest(actor=actor, match=obj)
                if match.status == MatchStatus.IN_STUDY:
                    return _study_begun(match)
                return _("The business knows that you are interested; its consent is awaited.")
            if action == "study":
                return _study_begun(studies.study(actor=actor, match=obj))
        except studies.StudyRefused as refused:
            raise ValidationError(str(REFUSALS[refused.code]))
        return super().take_step(request, obj, action)

    def take_form_step(
        self, request: HttpRequest, obj: Referral, action: str, form: Any
    ) -> str | tuple[str, Any]:
        actor, values = Actor.of(request.user), form.cleaned_data
        try:
            if action == "decline":
                reason = Reason(
                    values["reason"],
                    values["criterion"],
                    values["text"],
                    is_shown_to_business=values["is_shown_to_business"],
                )
                studies.decline(actor=actor, match=obj, reason=reason)
                return _("The referral is declined.")
            if action == "ask":
                studies.ask(actor=actor, match=obj, text=values["text"])
                return _("Your question is with the business; your clock stands still.")
            if action == "terms":
                terms = offer_terms(actor=actor, match=obj, offered=offered_of(form))
                day = formats.day(terms.valid_until)
                return _("Your terms are with the business until %(day)s.") % {"day": day}
        except studies.StudyRefused as refused:
            raise ValidationError(str(REFUSALS[refused.code]))
        except MatchRefused:
            raise ValidationError({"text": _("Explain the reason in the text.")})
        except CapacityExhausted as exhausted:
            raise _too_late(exhausted.free_amount, exhausted.free_count)
        return super().take_form_step(request, obj, action, form)


def _too_late(free_amount: Decimal, free_count: int | None) -> StepConflict:
    return StepConflict(ValidationError({"amount": exhausted_text(free_amount, free_count)}))


def consent_of(referral: Referral) -> ConsentState:
    """The state of consent, read once for a row that a page works with."""
    known: ConsentState | None = getattr(referral, "known_consent", None)
    if known is None:
        known = referral.known_consent = consent_state(referral)  # type: ignore[attr-defined]
    return known


def terms_form(match: Match, data: Any, *, cancel_url: str, on: date) -> OfferedTermsForm:
    """The form of terms, filled with what the institution posted and the business asked for."""
    offer = match.offer
    least, most = amount_range(match)
    free, _count = free_capacity(offer)
    # What is left of the capacity, where the business can still use that.
    most = min(most, free) if free >= least else most
    initial: dict[str, Any] = {
        "amount": min(max(match.amount, least), most),
        "valid_until": add_working_days(on, USUAL_VALID_WORKING_DAYS)[0],
    }
    if isinstance(offer, InsuranceOffer):
        posted = posted_premium(offer, match.patents.count(), initial["amount"])
        initial |= {
            "premium": posted,
            "excess_percent": offer.excess_percent,
            "term_months": offer.period_months,
        }
        return PremiumTermsForm(data, initial=initial, posted=posted, cancel_url=cancel_url)
    assert match.loan_request is not None
    asked = match.loan_request.term_months or offer.min_term_months
    initial |= {
        "interest_rate_percent": nominal_rate_percent(offer, on),
        "term_months": min(max(asked, offer.min_term_months), offer.max_term_months),
        "repayment_method": offer.repayment_method,
        "day_count": offer.day_count,
    }
    fees = [
        {name: getattr(fee, name) for name in ("kind", "payer", "timing", "amount", "percent")}
        for fee in offer.fees.all()
    ]
    return LoanTermsForm(
        data, initial=initial, fees=fees, posted_rate=rate_text(offer), cancel_url=cancel_url
    )


def offered_of(form: Any) -> OfferedTerms:
    """What a valid form of terms says, as the service takes it."""
    values = form.cleaned_data
    return OfferedTerms(
        amount=values["amount"],
        term_months=values["term_months"],
        valid_until=values["valid_until"],
        conditions=values["conditions"],
        interest_rate_percent=values.get("interest_rate_percent"),
        repayment_method=values.get("repayment_method", ""),
        day_count=values.get("day_count", ""),
        fees=tuple(_fee(part) for part in form.parts if part.is_a_fee),
        premium=values.get("premium"),
        excess_percent=values.get("excess_percent"),
    )


def _fee(part: Any) -> FeeTerms:
    values = part.cleaned_data
    return FeeTerms(
        kind=values["kind"],
        payer=values["payer"],
        timing=values["timing"],
        amount=values["amount"],
        percent=values["percent"],
        place=part.prefix,
    )


def _whole(referral: Referral) -> Match:
    """The match with its pair; the inbox itself reads only what was disclosed."""
    match: Match = Match.objects.select_related(
        "loan_request", "insurance_request", "insurance_offer", "institution"
    ).get(pk=referral.pk)
    if match.loan_offer_id is not None:
        match.loan_offer = with_criteria(LoanOffer.objects.filter(pk=match.loan_offer_id)).get()
    return match


def _study_begun(match: Match) -> str:
    day = formats.day(match.deadline_on)
    return _("The referral is in study; offer terms or decline by %(day)s.") % {"day": day}


def _interest() -> Step:
    return Step(
        action="interest",
        label=_("We are interested"),
        consequence=_(
            "The business is told that your institution would study its request, and is asked to "
            "open its identity to you. You are not bound to anything."
        ),
        is_main=True,
    )


def _study() -> Step:
    return Step(
        action="study",
        label=_("Start the study"),
        consequence=_(
            "You take the referral into study. From today your clock runs until you offer terms "
            "or decline."
        ),
        is_main=True,
    )


def _terms() -> Step:
    return Step(
        action="terms",
        label=_("Offer terms"),
        consequence=_(
            "The figures are those you posted; change what differs. On the next page you see what "
            "they mean before you are bound."
        ),
        is_main=True,
    )


def _ask() -> Step:
    return Step(
        action="ask",
        label=_("Ask the business"),
        consequence=_(
            "The referral waits for the business, and your clock stands still until it answers."
        ),
    )


def _decline() -> Step:
    return Step(
        action="decline",
        label=_("Decline"),
        consequence=_(
            "The referral ends for you. The branch office reads your reason and looks for other "
            "offers at once."
        ),
        is_dangerous=True,
    )
