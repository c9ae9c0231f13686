"""A coordinator's review: claim, approve, reject or return a match; called by views."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from django.db import IntegrityError, transaction
from django.utils import timezone

from businesses.models import Business, BusinessMember, Patent
from businesses.models.businesses import BusinessStatus
from businesses.models.patents import PatentStatus
from businesses.services.patents import verify_patent
from financing import notifications
from financing.contention import contention_of
from financing.lifecycles import MATCH
from financing.match_runs import fingerprint, rules_failing_now
from financing.models import InstitutionStaff, Match, MatchDecision, Proposal
from financing.models.matches import MATCH_LIVE_STATUSES, DecisionReason, MatchStatus
from financing.services.clocks import Stage, end_clock, resume_clock, start_clock, stop_clock
from financing.services.consents import disclose_identity_if_ready
from financing.services.referrals import refer_blind
from financing.services.rematching import rematch
from financing.services.writing_lock import lock_claiming
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.workflow.advance import advance

# DOMAIN 3: a register extract is at most this old when a match is referred.
REGISTER_EXTRACT_MAX_DAYS = 30


class MatchRefusal(StrEnum):
    """Why a step of the review could not be taken; pages translate the code."""

    PROPOSAL_GONE = "proposal_gone"
    CLAIMED_BY_OTHER = "claimed_by_other"
    OWN_INTEREST = "own_interest"
    BUSINESS_NOT_VERIFIED = "business_not_verified"
    REGISTER_EXTRACT_TOO_OLD = "register_extract_too_old"
    NO_LONGER_FITS = "no_longer_fits"
    CONTENDED = "contended"
    REASON_NEEDS_TEXT = "reason_needs_text"
    NOT_IN_REVIEW = "not_in_review"


class MatchRefused(Exception):
    """Nothing was changed; `code` says why, `details` what it is about (codes or numbers)."""

    def __init__(self, code: MatchRefusal, details: Iterable[str] = ()):
        super().__init__(code.value)
        self.code = code
        self.details = tuple(details)


@dataclass(frozen=True)
class Reason:
    """A structured reason (DOMAIN 3): a code, the criterion it cites, optional text."""

    code: str
    criterion: str = ""
    text: str = ""
    is_shown_to_business: bool = True


@transaction.atomic
def claim(*, actor: Actor, proposal: Proposal) -> Match:
    """Take a proposal into review: the durable match of its request and offer, claimed by `actor`.

    Claiming what the same coordinator already claimed returns that match. A provisional proposal of
    a contended offer waits for the next full run (MATCHING 4). Locks the request row, so that a run
    cannot replace the proposal meanwhile. Raises MatchRefused.
    """
    _refuse_own_interest(actor, proposal.business_id, proposal.offer.institution_id)
    lock_claiming()
    request = proposal.request
    type(request).objects.select_for_update(no_key=True).get(pk=request.pk)
    standing = _live_match(proposal)
    if standing is not None:
        return _claimed_again(actor, standing)
    current = Proposal.objects.filter(pk=proposal.pk).select_related("run").first()
    if current is None:
        raise MatchRefused(MatchRefusal.PROPOSAL_GONE)
    contended = contention_of(current, on=timezone.localdate())
    if contended is not None:
        raise MatchRefused(MatchRefusal.CONTENDED, (contended,))
    match = _match_of(current, actor)
    try:
        with transaction.atomic():
            match.save(force_insert=True)
    except IntegrityError:
        # The constraint, not the look above, decides between two coordinators at once.
        raise MatchRefused(MatchRefusal.CLAIMED_BY_OTHER)
    match.patents.set(current.patent_ids)
    record(
        Verb.MATCH_CLAIMED,
        actor=actor,
        obj=match,
        data={
            "run": current.run_id,
            "rank": current.rank,
            "is_provisional": current.is_provisional,
        },
    )
    start_clock(match, Stage.REVIEW, on=timezone.localdate())
    current.delete()
    return match


@transaction.atomic
def take_over(*, actor: Actor, match: Match) -> Match:
    """Review a match that a colleague claimed; the claim moves, audited. Raises MatchRefused.

    Only while it is in review or returned: later the institution has it. Taking over what is one's
    own already changes nothing.
    """
    _refuse_own_interest(actor, match.business_id, match.institution_id)
    locked = Match.objects.select_for_update().get(pk=match.pk)
    if locked.status not in (MatchStatus.IN_REVIEW, MatchStatus.RETURNED):
        raise MatchRefused(MatchRefusal.NOT_IN_REVIEW)
    if locked.claimed_by_id == actor.user.pk:
        return locked
    locked.claimed_by = actor.user
    locked.claimed_at = timezone.now()
    locked.save(update_fields=["claimed_by", "claimed_at"])
    record(Verb.MATCH_CLAIMED, actor=actor, obj=locked, data={"taken_over": True})
    return locked


@transaction.atomic
def approve(
    *, actor: Actor, match: Match, text: str = "", extract_checked_on: date | None = None
) -> Match:
    """Refer the match blind to the institution (DOMAIN 2), its first answer due by the policy.

    `extract_checked_on`: the coordinator compared the basket's patents with the register that day;
    they become verified. Locks business and match. Raises MatchRefused and TransitionRefused.
    """
    # Before the match, as a withdrawal does: the business.
    business = Business.objects.select_for_update(no_key=True).get(pk=match.business_id)
    locked = _locked_for_review(actor, match)
    if business.status != BusinessStatus.VERIFIED:
        raise MatchRefused(MatchRefusal.BUSINESS_NOT_VERIFIED)
    today = timezone.localdate()
    if extract_checked_on is not None:
        for patent in unchecked_patents(locked, today):
            verify_patent(actor=actor, patent=patent, register_extract_on=extract_checked_on)
    unchecked = unchecked_patents(locked, today)
    if unchecked:
        raise MatchRefused(
            MatchRefusal.REGISTER_EXTRACT_TOO_OLD,
            (patent.application_number for patent in unchecked),
        )
    failed = rules_failing_now(locked, on=today)
    if failed:
        raise MatchRefused(MatchRefusal.NO_LONGER_FITS, failed)
    advance(MATCH, locked, "approve", actor=actor)
    start_clock(locked, Stage.FIRST_ANSWER, on=today)
    decide(actor, locked, "approve", Reason(DecisionReason.FITS, text=text))
    refer_blind(actor=actor, match=locked)
    notifications.match_referred(locked)
    # Consent given for an earlier match of the same institution and purpose covers this one too.
    disclose_identity_if_ready(locked, actor=actor)
    return locked


@transaction.atomic
def reject(*, actor: Actor, match: Match, reason: Reason) -> Match:
    """End the match with a structured reason and look for what else fits the request."""
    refuse_missing_text(reason)
    locked = _locked_for_review(actor, match)
    advance(MATCH, locked, "reject", actor=actor, data=_audited(reason))
    end_clock(locked)
    notifications.match_rejected(locked, decide(actor, locked, "reject", reason))
    rematch(locked.request)
    return locked


@transaction.atomic
def return_to_business(*, actor: Actor, match: Match, reason: Reason) -> Match:
    """Ask the business for more before a decision; it answers and the match is back in review."""
    refuse_missing_text(reason, always=True)
    locked = _locked_for_review(actor, match)
    advance(MATCH, locked, "return", actor=actor, data=_audited(reason))
    stop_clock(locked, on=timezone.localdate())
    shown = Reason(reason.code, reason.criterion, reason.text, is_shown_to_business=True)
    decide(actor, locked, "return", shown)
    notifications.match_returned(locked)
    return locked


@transaction.atomic
def resubmit(*, actor: Actor, match: Match, text: str) -> Match:
    """The business answers what a coordinator asked; the match returns to the review."""
    locked = Match.objects.select_for_update().get(pk=match.pk)
    advance(MATCH, locked, "resubmit", actor=actor)
    resume_clock(locked, on=timezone.localdate())
    decide(actor, locked, "resubmit", Reason(DecisionReason.OTHER, text=text))
    notifications.match_resubmitted(locked)
    return locked


def unchecked_patents(match: Match, on: date) -> list[Patent]:
    """Patents of the basket not verified, or whose register extract is older than 30 days."""
    oldest = on - timedelta(days=REGISTER_EXTRACT_MAX_DAYS)
    return [
        patent
        for patent in match.patents.all()
        if patent.status != PatentStatus.VERIFIED
        or patent.register_extract_on is None
        or patent.register_extract_on < oldest
    ]


def _match_of(proposal: Proposal, actor: Actor) -> Match:
    return Match(
        business_id=proposal.business_id,
        institution_id=proposal.offer.institution_id,
        loan_request_id=proposal.loan_request_id,
        loan_offer_id=proposal.loan_offer_id,
        insurance_request_id=proposal.insurance_request_id,
        insurance_offer_id=proposal.insurance_offer_id,
        amount=proposal.amount,
        saving=proposal.saving,
        run_id=proposal.run_id,
        claimed_by=actor.user,
        claimed_at=timezone.now(),
    )


def _live_match(proposal: Proposal) -> Match | None:
    return Match.objects.filter(
        loan_request_id=proposal.loan_request_id,
        loan_offer_id=proposal.loan_offer_id,
        insurance_request_id=proposal.insurance_request_id,
        insurance_offer_id=proposal.insurance_offer_id,
        status__in=MATCH_LIVE_STATUSES,
    ).first()


def _claimed_again(actor: Actor, match: Match) -> Match:
    if match.claimed_by_id != actor.user.pk:
        raise MatchRefused(MatchRefusal.CLAIMED_BY_OTHER)
    return match


def _locked_for_review(actor: Actor, match: Match) -> Match:
    _refuse_own_interest(actor, match.business_id, match.institution_id)
    locked = Match.objects.select_for_update().get(pk=match.pk)
    if locked.status == MatchStatus.IN_REVIEW and locked.claimed_by_id != actor.user.pk:
        raise MatchRefused(MatchRefusal.CLAIMED_BY_OTHER)
    return locked


def _refuse_own_interest(actor: Actor, business_id: int, institution_id: int) -> None:
    """Nobody decides on a match of a business or institution they belong to (QUALITY 1)."""
    if (
        BusinessMember.objects.filter(business_id=business_id, user=actor.user).exists()
        or InstitutionStaff.objects.filter(institution_id=institution_id, user=actor.user).exists()
    ):
        raise MatchRefused(MatchRefusal.OWN_INTEREST)


def refuse_missing_text(reason: Reason, *, always: bool = False) -> None:
    """A reason without a code of its own needs its text; raises MatchRefused."""
    if (always or reason.code == DecisionReason.OTHER) and not reason.text.strip():
        raise MatchRefused(MatchRefusal.REASON_NEEDS_TEXT)


def decide(actor: Actor, match: Match, action: str, reason: Reason) -> MatchDecision:
    """Store a person's structured reason, with what blocks the pair until its criterion changes."""
    return MatchDecision.objects.create(
        match=match,
        action=action,
        reason=reason.code,
        criterion=reason.criterion,
        criterion_fingerprint=fingerprint(
            match, reason.criterion or reason.code, on=timezone.localdate()
        ),
        text=reason.text.strip(),
        is_shown_to_business=reason.is_shown_to_business,
        by=actor.user,
    )


def _audited(reason: Reason) -> dict[str, str]:
    return {"reason": reason.code, "criterion": reason.criterion}
