"""Every state of a match, of a loan and of an insurance, stored, and the pages that show it.

The table of tests/access has one row per address; what a page shows and which forms it has depends
on the state of the match. The sweeps walk these pages too.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.test import Client
from django.utils import timezone

from financing.models import InsuranceRequest, Match, PersonConsent
from financing.services import acceptances, completions, deliveries, pledges, questions, studies
from financing.services.consents import give_consent, withdraw_consent
from financing.services.insurance_policies import issue_policy
from financing.services.matches import Reason
from financing.services.person_consents import answer_person, ask_person
from financing.services.referrals import open_identity, open_referral, refer_blind
from financing.services.terms import offer_terms
from sipo_portal.accounts.models import User
from sipo_portal.attachments.checking import check_file
from sipo_portal.audit.actors import Actor
from tests.factories.accounts import make_coordinator, make_owner
from tests.factories.businesses import make_appraisal, make_business, make_patent
from tests.factories.financing import (
    make_institution,
    make_loan_offer,
    make_loan_request,
    make_match,
    make_staff,
)
from tests.factories.goals import make_goal
from tests.factories.guarantees import make_guarantee_offer
from tests.factories.insurance import (
    make_insurance_match,
    make_insurance_offer,
    make_insurance_policy_of_the_day,
    make_insurance_proposal,
    make_insurance_request,
    make_insurer,
)
from tests.factories.money import draw, register_all
from tests.factories.offices import make_office
from tests.factories.studies import consent_of_all, fee, offered

OWNER, BANK, INSURER, GUARANTOR, COORDINATOR, PERSON = (
    "owner",
    "bank",
    "insurer",
    "guarantor",
    "coordinator",
    "person",
)
PEOPLE = (OWNER, BANK, INSURER, GUARANTOR, COORDINATOR, PERSON)


@dataclass
class Scene:
    """People, and the matches by the name of their state; insurances begin with `insured_`."""

    users: dict[str, User] = field(default_factory=dict)
    offers: dict[str, Any] = field(default_factory=dict)
    matches: dict[str, Match] = field(default_factory=dict)
    # Insurance requests without a match.
    requests: dict[str, InsuranceRequest] = field(default_factory=dict)
    # Where a person decides, by the answer given so far.
    links: dict[str, str] = field(default_factory=dict)

    def actor(self, person: str) -> Actor:
        return Actor.of(self.users[person])

    def client(self, person: str) -> Client:
        """Signed in; a person with a link has no account."""
        client = Client()
        if person != PERSON:
            client.force_login(self.users[person])
        return client


def build_scene() -> Scene:
    """Everything, in transactions of its own."""
    scene = Scene()
    make_insurance_policy_of_the_day()
    office = make_office("320000")
    bank, insurer, guarantor = make_institution(), make_insurer(), make_institution("guarantor")
    scene.users = {
        OWNER: make_owner(),
        BANK: make_staff(bank),
        INSURER: make_staff(insurer),
        GUARANTOR: make_staff(guarantor),
        COORDINATOR: make_coordinator(office),
    }
    loan = make_loan_offer(bank, fees=[{"kind": "service", "percent": "0.5"}])
    guarantee = make_guarantee_offer(guarantor)
    guarantee.loan_offers.add(loan)
    scene.offers = {
        "loan": loan,
        "insurance": make_insurance_offer(insurer),
        "insurance_draft": make_insurance_offer(insurer, status="draft"),
        "guarantee": guarantee,
        "guarantee_draft": make_guarantee_offer(guarantor, status="draft"),
    }
    for name, reach in (LOANS | INSURANCES).items():
        with transaction.atomic():
            match = _referral(scene, is_loan=name in LOANS)
            reach(scene, match)
            match.refresh_from_db()
            scene.matches[name] = match
    _open_requests(scene)
    for product in ("loan", "insurance"):
        make_goal(office, product)
    return scene


def _open_requests(scene: Scene) -> None:
    """A draft, and one that an offer was proposed to."""
    business = make_business(owner=scene.users[OWNER])
    patents = [make_patent(business)]
    scene.requests = {
        "draft": make_insurance_request(business, patents, status="draft"),
        "proposed": make_insurance_request(business, patents),
    }
    make_insurance_proposal(scene.requests["proposed"], scene.offers["insurance"])


def _referral(scene: Scene, *, is_loan: bool) -> Match:
    business = make_business(owner=scene.users[OWNER], legal_representative="示范法人")
    patent = make_patent(business)
    make_appraisal(patent, 5_000_000)
    if is_loan:
        match = make_match(
            make_loan_request(business, [patent]), scene.offers["loan"], status="referred"
        )
    else:
        match = make_insurance_match(
            make_insurance_request(business, [patent]), scene.offers["insurance"], status="referred"
        )
    refer_blind(Actor.SYSTEM, match)
    return match


# --- how a match gets there -----------------------------------------------------------------------


def _lender(scene: Scene, match: Match) -> Actor:
    return scene.actor(BANK if match.loan_offer_id else INSURER)


def in_review(scene: Scene, match: Match) -> None:
    """Claimed, and not referred yet."""
    match.disclosures.all().delete()
    now = {"status": "in_review", "referred_at": None, "claimed_by": scene.users[COORDINATOR]}
    Match.objects.filter(pk=match.pk).update(**now)


def blind(scene: Scene, match: Match) -> None:
    open_referral(_lender(scene, match), match)


def interested(scene: Scene, match: Match) -> None:
    blind(scene, match)
    studies.declare_interest(actor=_lender(scene, match), match=match)


def persons_asked(scene: Scene, match: Match) -> None:
    """The business consents; one person has the link, the other was not asked."""
    interested(scene, match)
    owner = scene.actor(OWNER)
    give_consent(actor=owner, match=match)
    _ask(scene, match)


def _ask(scene: Scene, match: Match) -> PersonConsent:
    return ask_person(
        actor=scene.actor(OWNER),
        match=match,
        role="contact",
        name=match.business.contact_name,
        email="person@example.org",
    )


def person_with_link(answer: str = "") -> Callable[[Scene, Match], None]:
    def reach(scene: Scene, match: Match) -> None:
        token = _ask(scene, match).token
        if answer == "withdrawn":
            answer_person(token, answer="given")
        if answer:
            answer_person(token, answer=answer)
        scene.links[answer or "open"] = f"/consent/{token}/"

    return reach


def opened(scene: Scene, match: Match) -> None:
    consent_of_all(match)
    open_identity(_lender(scene, match), match)


def in_study(scene: Scene, match: Match) -> None:
    opened(scene, match)
    studies.study(actor=_lender(scene, match), match=match)


def waiting(scene: Scene, match: Match) -> None:
    in_study(scene, match)
    studies.ask(actor=_lender(scene, match), match=match, text="请说明订单。")


def waiting_closed(scene: Scene, match: Match) -> None:
    waiting(scene, match)
    consent = match.business.consents.get(withdrawn_at=None)
    withdraw_consent(actor=scene.actor(OWNER), consent=consent)


def answered(scene: Scene, match: Match) -> None:
    waiting(scene, match)
    files = [check_file("订单.csv", "季度,万元\n1,120\n".encode())]
    question = match.questions.get()
    questions.answer_question(
        actor=scene.actor(OWNER), question=question, text="附上订单。", files=files
    )


def terms(scene: Scene, match: Match) -> None:
    in_study(scene, match)
    own = {"fees": (fee(),)} if match.loan_offer_id else {}
    words = "放款前办妥质押登记。"
    values = offered(match, conditions=words, **own)
    offer_terms(actor=_lender(scene, match), match=match, offered=values)


def terms_past(scene: Scene, match: Match) -> None:
    """Nobody answered in time, and the clock has not come round yet."""
    terms(scene, match)
    match.terms.update(valid_until=timezone.localdate() - timedelta(days=1))


def terms_declined(scene: Scene, match: Match) -> None:
    terms(scene, match)
    acceptances.decline_terms(
        actor=scene.actor(OWNER), terms=match.terms.get(), reason=Reason("too_dear")
    )


def accepted(scene: Scene, match: Match) -> None:
    terms(scene, match)
    acceptances.accept_terms(actor=scene.actor(OWNER), terms=match.terms.get())


def fallen_through(scene: Scene, match: Match) -> None:
    accepted(scene, match)
    reason = Reason("other", text="另有安排。")
    completions.fall_through(actor=scene.actor(OWNER), match=match, reason=reason)


def registered(scene: Scene, match: Match) -> None:
    accepted(scene, match)
    register_all(match)


def drawn(scene: Scene, match: Match) -> None:
    registered(scene, match)
    draw(match, 400_000)


def completed(scene: Scene, match: Match) -> None:
    drawn(scene, match)
    completions.complete(actor=_lender(scene, match), match=match)


def released(scene: Scene, match: Match) -> None:
    completed(scene, match)
    deliveries.confirm_delivery(
        actor=scene.actor(OWNER), match=match, is_as_agreed=False, text="利率较高。"
    )
    for pledge in match.pledges.all():
        pledges.release_pledge(
            actor=_lender(scene, match), pledge=pledge, released_on=timezone.localdate()
        )


def declined(scene: Scene, match: Match) -> None:
    reason = Reason("other", text="暂不受理。", is_shown_to_business=True)
    studies.decline(actor=_lender(scene, match), match=match, reason=reason)


def over(status: str) -> Callable[[Scene, Match], None]:
    """Ended by others or by the clock."""

    def reach(scene: Scene, match: Match) -> None:
        Match.objects.filter(pk=match.pk).update(status=status)

    return reach


def covered(scene: Scene, match: Match) -> None:
    accepted(scene, match)
    today = timezone.localdate()
    number = f"PIC-{match.reference}"
    issue_policy(actor=_lender(scene, match), match=match, number=number, starts_on=today)


def renewable(scene: Scene, match: Match) -> None:
    covered(scene, match)
    policy, gone = match.insurance_policy, timedelta(days=310)
    policy.starts_on, policy.ends_on = policy.starts_on - gone, policy.ends_on - gone
    policy.save()


LOANS: dict[str, Callable[[Scene, Match], None]] = {
    "blind": blind,
    "interested": interested,
    "persons_asked": persons_asked,
    "link_open": person_with_link(),
    "link_given": person_with_link("given"),
    "link_refused": person_with_link("refused"),
    "link_withdrawn": person_with_link("withdrawn"),
    "opened": opened,
    "in_study": in_study,
    "waiting": waiting,
    "waiting_closed": waiting_closed,
    "answered": answered,
    "terms": terms,
    "terms_past": terms_past,
    "terms_declined": terms_declined,
    "accepted": accepted,
    "fallen_through": fallen_through,
    "registered": registered,
    "drawn": drawn,
    "completed": completed,
    "released": released,
    "declined": declined,
    "expired": over("expired"),
    "superseded": over("superseded"),
    "withdrawn": over("withdrawn"),
}
INSURANCES: dict[str, Callable[[Scene, Match], None]] = {
    "insured_in_review": in_review,
    "insured_interested": interested,
    "insured_study": in_study,
    "insured_terms": terms,
    "insured_accepted": accepted,
    "insured_covered": covered,
    "insured_renewable": renewable,
}
