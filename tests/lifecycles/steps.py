"""What people and the clock may do in a random trace, all through the real services.

A step takes the world, a number that picks the row and one that picks the variant. It does nothing
where no row could be meant; a refusal is a typed error and changes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from businesses.services.businesses import reinstate_business, suspend_business, verify_business
from businesses.services.refusals import BusinessRefused
from financing.consent_state import consent_state, consents_for
from financing.models import (
    Match,
    MatchRun,
    PersonConsent,
    Pledge,
    Question,
    Terms,
)
from financing.models.match_runs import RunKind
from financing.services import (
    acceptances,
    completions,
    consents,
    deliveries,
    full_runs,
    incremental_runs,
    insurance_policies,
    loan_offers,
    loan_requests,
    matches,
    person_consents,
    pledges,
    questions,
    studies,
)
from financing.services.capacity import CapacityExhausted
from financing.services.clock_rows import FAILED
from financing.services.clock_runs import run_clocks
from financing.services.consents import ConsentRefused
from financing.services.loan_requests import RequestRefused
from financing.services.matches import MatchRefused, Reason
from financing.services.money_refusals import MoneyRefused
from financing.services.questions import AnswerRefused
from financing.services.studies import StudyRefused
from financing.services.terms import offer_terms
from sipo_portal.outbox.models import OutboxMessage
from sipo_portal.workflow.lifecycle import TransitionRefused
from tests.factories.money import make_contract
from tests.factories.studies import offered
from tests.lifecycles.world import World

REFUSALS = (
    TransitionRefused,
    MatchRefused,
    StudyRefused,
    ConsentRefused,
    AnswerRefused,
    MoneyRefused,
    RequestRefused,
    BusinessRefused,
    CapacityExhausted,
    ValidationError,
)
FEN = Decimal("0.01")
TEXT = "说明"
WORK = {
    "financing.match_request": incremental_runs.match_request,
    "financing.match_offer": incremental_runs.match_offer,
    "financing.match_insurance_request": incremental_runs.match_insurance_request,
    "financing.match_insurance_offer": incremental_runs.match_insurance_offer,
}


@dataclass(frozen=True)
class Step:
    action: str
    pick: int
    variant: int

    def __repr__(self) -> str:
        return f"{self.action}({self.pick}, {self.variant})"


def take(world: World, step: Step) -> str:
    """Do it in a savepoint; "done", "nothing" or the code of the refusal."""
    try:
        with transaction.atomic():
            done = STEPS[step.action](world, step.pick, step.variant)
    except REFUSALS as refusal:
        return f"refused: {getattr(refusal, 'code', type(refusal).__name__)}"
    return "nothing" if done is False else "done"


def one(rows: Sequence[Any], pick: int) -> Any:
    return rows[pick % len(rows)] if rows else None


# --- requests and proposals ---------------------------------------------------------------------


def submit(world: World, pick: int, variant: int) -> Any:
    """A draft goes out, and work waits that matches it; what is over is copied and goes again."""
    request = one(world.loan_requests(), pick)
    actor = world.owner_of(request)
    if request.status in ("withdrawn", "expired"):
        request = loan_requests.copy_as_draft(actor=actor, request=request)
        if not request.purpose:
            return False
    return loan_requests.submit(actor=actor, request=request)


def withdraw(world: World, pick: int, variant: int) -> Any:
    request = one(world.loan_requests(), pick)
    return loan_requests.withdraw(actor=world.owner_of(request), request=request)


def do_waiting_work(world: World, pick: int, variant: int) -> Any:
    """What the outbox has to match is matched."""
    waiting = list(world.waiting_work())
    for task, pk in sorted({(each.task, next(iter(each.payload.values()))) for each in waiting}):
        WORK[task](pk)
    OutboxMessage.objects.filter(pk__in=[each.pk for each in waiting]).update(
        done_at=timezone.now()
    )
    return bool(waiting)


def run_everything(world: World, pick: int, variant: int) -> Any:
    """A run over the country: what it proposes of a contended offer may be claimed."""
    run = MatchRun.objects.create(kind=RunKind.FULL)
    full_runs.run_full(run.pk)
    run.refresh_from_db()
    assert run.status == "done"


def claim(world: World, pick: int, variant: int) -> Any:
    proposal = one(world.proposals(), pick)
    return proposal and matches.claim(actor=world.coordinator, proposal=proposal)


# --- steps on a match ---------------------------------------------------------------------------


def approve(world: World, match: Match, variant: int) -> Any:
    matches.approve(actor=world.coordinator, match=match, extract_checked_on=timezone.localdate())


def reject(world: World, match: Match, variant: int) -> Any:
    matches.reject(actor=world.coordinator, match=match, reason=Reason("facts_doubtful"))


def send_back(world: World, match: Match, variant: int) -> Any:
    reason = Reason("information_missing", text=TEXT)
    matches.return_to_business(actor=world.coordinator, match=match, reason=reason)


def resubmit(world: World, match: Match, variant: int) -> Any:
    matches.resubmit(actor=world.owner_of(match), match=match, text=TEXT)


def interest(world: World, match: Match, variant: int) -> Any:
    studies.declare_interest(actor=world.staff_of(match), match=match)


def consent(world: World, match: Match, variant: int) -> Any:
    """The business, and unless the variant says otherwise every person concerned."""
    consents.give_consent(actor=world.owner_of(match), match=match)
    if variant != 3:
        for person in consent_state(match).missing:
            answer_person(world, match, person.role, person.name, "given")


def answer_person(world: World, match: Match, role: str, name: str, answer: str) -> None:
    asked = person_consents.ask_person(
        actor=world.owner_of(match), match=match, role=role, name=name, email="p@firm.example"
    )
    person_consents.answer_person(asked.token, answer=answer)


def withdraw_consent(world: World, match: Match, variant: int) -> Any:
    if variant == 0:
        row = PersonConsent.objects.filter(match=match, answer="given").first()
        return row is not None and person_consents.answer_person(row.token, answer="withdrawn")
    standing = consents_for(match).filter(withdrawn_at=None).first()
    return standing is not None and consents.withdraw_consent(
        actor=world.owner_of(match), consent=standing
    )


def study(world: World, match: Match, variant: int) -> Any:
    studies.study(actor=world.staff_of(match), match=match)


def ask(world: World, match: Match, variant: int) -> Any:
    studies.ask(actor=world.staff_of(match), match=match, text=TEXT)


def answer(world: World, match: Match, variant: int) -> Any:
    question = Question.objects.filter(match=match).order_by("-pk").first()
    return question is not None and questions.answer_question(
        actor=world.owner_of(match), question=question, text=TEXT
    )


def terms(world: World, match: Match, variant: int) -> Any:
    """All of it, a third to the fen, or a fen too much."""
    whole = match.amount
    amount = (whole, whole, (whole / 3).quantize(FEN) + FEN, whole + FEN)[variant]
    values: dict[str, Any] = {"amount": amount}
    if match.insurance_request_id is not None:
        values["premium"] = Decimal("987.65")
    offer_terms(actor=world.staff_of(match), match=match, offered=offered(match, **values))


def decline(world: World, match: Match, variant: int) -> Any:
    studies.decline(actor=world.staff_of(match), match=match, reason=Reason("outside_appetite"))


def accept(world: World, match: Match, variant: int) -> Any:
    newest = Terms.objects.filter(match=match).order_by("-pk").first()
    return newest is not None and acceptances.accept_terms(
        actor=world.owner_of(match), terms=newest
    )


def decline_terms(world: World, match: Match, variant: int) -> Any:
    newest = Terms.objects.filter(match=match).order_by("-pk").first()
    return newest is not None and acceptances.decline_terms(
        actor=world.owner_of(match), terms=newest, reason=Reason("better_alternative")
    )


def register(world: World, match: Match, variant: int) -> Any:
    pledge = Pledge.objects.filter(match=match).order_by("pk").first()
    return pledge is not None and pledges.register_pledge(
        actor=world.staff_of(match),
        pledge=pledge,
        registration_number=f"Y{pledge.pk:010d}",
        registered_on=timezone.localdate(),
        contract=make_contract(match),
    )


def release(world: World, match: Match, variant: int) -> Any:
    pledge = Pledge.objects.filter(match=match).order_by("pk").first()
    return pledge is not None and pledges.release_pledge(
        actor=world.staff_of(match), pledge=pledge, released_on=timezone.localdate()
    )


def draw(world: World, match: Match, variant: int) -> Any:
    """A third to the fen, the rest, a fen too much, or the same drawdown again; or the policy."""
    accepted = Terms.objects.filter(match=match, status="accepted").first()
    if accepted is None:
        return False
    if match.insurance_request_id is not None:
        return _issue(world, match)
    drawn = completions.drawn_total(match)
    left = accepted.amount - drawn
    amount = ((accepted.amount / 3).quantize(FEN), left, left + FEN, left)[variant]
    reference = "again" if variant == 3 else f"D{match.drawdowns.count()}"
    return completions.record_drawdown(
        actor=world.staff_of(match),
        match=match,
        amount=amount,
        drawn_on=timezone.localdate(),
        reference=reference,
    )


def _issue(world: World, match: Match) -> Any:
    return insurance_policies.issue_policy(
        actor=world.staff_of(match), match=match, number="P1", starts_on=timezone.localdate()
    )


def complete(world: World, match: Match, variant: int) -> Any:
    completions.complete(actor=world.staff_of(match), match=match)


def fall_through(world: World, match: Match, variant: int) -> Any:
    actor = world.owner_of(match) if variant % 2 else world.staff_of(match)
    completions.fall_through(actor=actor, match=match, reason=Reason("business_not_ready"))


def confirm_delivery(world: World, match: Match, variant: int) -> Any:
    deliveries.confirm_delivery(actor=world.owner_of(match), match=match, is_as_agreed=True)


# --- the rest of the world ----------------------------------------------------------------------


def time_passes(world: World, pick: int, variant: int) -> Any:
    """The clocks run as on a later day: reminders, lapses, expiry, fall-through."""
    days = (4, 12, 40, 80)[variant]
    done = run_clocks(now=timezone.now() + timedelta(days=days))
    assert done[FAILED] == 0


def pause_or_resume(world: World, pick: int, variant: int) -> Any:
    offer = one(world.offers()[:-1], pick)
    act = loan_offers.pause if offer.status == "published" else loan_offers.resume
    return act(world.staff_of(offer), offer=offer)


def suspend_or_reinstate(world: World, pick: int, variant: int) -> Any:
    business = one(world.loan_requests(), pick).business
    if business.status == "suspended":
        reinstated = reinstate_business(actor=world.coordinator, business=business)
        return verify_business(actor=world.coordinator, business=reinstated)
    if variant:
        return False
    return suspend_business(actor=world.coordinator, business=business, reason=TEXT)


MatchStep = Callable[[World, Match, int], Any]
# Each with the states it belongs to.
ON_A_MATCH: dict[str, tuple[MatchStep, tuple[str, ...]]] = {
    "approve": (approve, ("in_review",)),
    "reject": (reject, ("in_review",)),
    "send_back": (send_back, ("in_review",)),
    "resubmit": (resubmit, ("returned",)),
    "interest": (interest, ("referred",)),
    "consent": (consent, ("referred", "in_study", "waiting")),
    "withdraw_consent": (withdraw_consent, ("referred", "in_study", "waiting", "terms_offered")),
    "study": (study, ("referred",)),
    "ask": (ask, ("in_study",)),
    "answer": (answer, ("waiting",)),
    "terms": (terms, ("in_study",)),
    "decline": (decline, ("referred", "in_study", "waiting")),
    "accept": (accept, ("terms_offered",)),
    "decline_terms": (decline_terms, ("terms_offered",)),
    "register": (register, ("accepted",)),
    "release": (release, ("accepted", "completed")),
    "draw": (draw, ("accepted",)),
    "complete": (complete, ("accepted",)),
    "fall_through": (fall_through, ("accepted",)),
    "confirm_delivery": (confirm_delivery, ("completed",)),
}
# What usually comes next, so that traces reach the money.
NEXT: dict[str, tuple[MatchStep, ...]] = {
    "in_review": (approve,),
    "returned": (resubmit,),
    "referred": (consent, study),
    "in_study": (terms,),
    "waiting": (answer,),
    "terms_offered": (accept,),
    "accepted": (register, draw, complete),
}


def go_on(world: World, pick: int, variant: int) -> Any:
    """One match takes its usual next step (of those after acceptance, as far as they go)."""
    match = one(world.matches(*NEXT), pick)
    if match is None and world.proposals():
        try:
            return claim(world, pick, variant)
        except MatchRefused:
            # Contended: a provisional proposal waits for the next run over the country.
            return run_everything(world, pick, variant)
    if match is None:
        return do_waiting_work(world, pick, variant) or submit(world, pick, variant)
    for step in NEXT[match.status]:
        try:
            with transaction.atomic():
                step(world, match, min(variant, 1))
        except REFUSALS:
            continue
    return True


def on_a_fitting(step: MatchStep, statuses: tuple[str, ...]) -> Callable[[World, int, int], Any]:
    def act(world: World, pick: int, variant: int) -> Any:
        match = one(world.matches(*statuses), pick)
        return False if match is None else step(world, match, variant)

    return act


def on_any(world: World, pick: int, variant: int) -> Any:
    """A step on a match whatever its state, as from an old page; mostly refused."""
    match = one(world.matches(), pick)
    names = list(ON_A_MATCH)
    if match is None:
        return False
    return ON_A_MATCH[names[(pick * 4 + variant) % len(names)]][0](world, match, variant)


STEPS: dict[str, Callable[[World, int, int], Any]] = {
    "submit": submit,
    "withdraw": withdraw,
    "do_waiting_work": do_waiting_work,
    "run_everything": run_everything,
    "claim": claim,
    **{name: on_a_fitting(*entry) for name, entry in ON_A_MATCH.items()},
    "go_on": go_on,
    "on_any": on_any,
    "time_passes": time_passes,
    "pause_or_resume": pause_or_resume,
    "suspend_or_reinstate": suspend_or_reinstate,
}
