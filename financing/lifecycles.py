"""The states of offers, requests, runs, matches and pledges, and who moves them (DOMAIN 3)."""

from financing.models.match_runs import RunStatus
from financing.models.matches import MatchStatus
from financing.models.offers import OfferStatus
from financing.models.pledges import PledgeStatus
from financing.models.requests import RequestStatus
from sipo_portal.accounts.models import Role
from sipo_portal.workflow.lifecycle import Lifecycle, Transition

OWNER = Role.OWNER
STAFF = Role.INSTITUTION_STAFF
COORDINATOR = Role.COORDINATOR
CLOCK = "clock"
MATCHER = "matcher"

OFFER = Lifecycle(
    name="offer",
    states=tuple(OfferStatus.values),
    initial=OfferStatus.DRAFT,
    transitions=(
        Transition("publish", (OfferStatus.DRAFT,), OfferStatus.PUBLISHED, (STAFF,)),
        Transition("pause", (OfferStatus.PUBLISHED,), OfferStatus.PAUSED, (STAFF,)),
        Transition("resume", (OfferStatus.PAUSED,), OfferStatus.PUBLISHED, (STAFF,)),
        Transition(
            "close",
            (OfferStatus.DRAFT, OfferStatus.PUBLISHED, OfferStatus.PAUSED),
            OfferStatus.CLOSED,
            (STAFF, CLOCK),
        ),
    ),
)

REQUEST = Lifecycle(
    name="request",
    states=tuple(RequestStatus.values),
    initial=RequestStatus.DRAFT,
    transitions=(
        Transition(
            "submit",
            (RequestStatus.DRAFT, RequestStatus.RETURNED),
            RequestStatus.SUBMITTED,
            (OWNER,),
        ),
        Transition("open", (RequestStatus.SUBMITTED,), RequestStatus.OPEN, (MATCHER,)),
        Transition(
            "return",
            (RequestStatus.SUBMITTED, RequestStatus.OPEN),
            RequestStatus.RETURNED,
            (COORDINATOR,),
        ),
        Transition("commit", (RequestStatus.OPEN,), RequestStatus.COMMITTED, (OWNER,)),
        Transition("reopen", (RequestStatus.COMMITTED,), RequestStatus.OPEN, (OWNER, STAFF, CLOCK)),
        Transition("fund", (RequestStatus.COMMITTED,), RequestStatus.FUNDED, (STAFF,)),
        Transition("cover", (RequestStatus.COMMITTED,), RequestStatus.COVERED, (STAFF,)),
        Transition(
            "withdraw",
            (
                RequestStatus.DRAFT,
                RequestStatus.SUBMITTED,
                RequestStatus.OPEN,
                RequestStatus.RETURNED,
            ),
            RequestStatus.WITHDRAWN,
            (OWNER,),
        ),
        Transition(
            "expire",
            (RequestStatus.SUBMITTED, RequestStatus.OPEN, RequestStatus.RETURNED),
            RequestStatus.EXPIRED,
            (CLOCK,),
        ),
    ),
)

RUN = Lifecycle(
    name="run",
    states=tuple(RunStatus.values),
    initial=RunStatus.QUEUED,
    transitions=(
        # Starting again is what a worker does after another one was killed in the middle.
        Transition("start", (RunStatus.QUEUED, RunStatus.RUNNING), RunStatus.RUNNING, (MATCHER,)),
        Transition("finish", (RunStatus.RUNNING,), RunStatus.DONE, (MATCHER,)),
        Transition("fail", (RunStatus.QUEUED, RunStatus.RUNNING), RunStatus.FAILED, (MATCHER,)),
        Transition(
            "cancel",
            (RunStatus.QUEUED, RunStatus.RUNNING),
            RunStatus.CANCELLED,
            (COORDINATOR,),
        ),
    ),
)

MATCH = Lifecycle(
    name="match",
    states=tuple(MatchStatus.values),
    initial=MatchStatus.IN_REVIEW,
    transitions=(
        Transition("approve", (MatchStatus.IN_REVIEW,), MatchStatus.REFERRED, (COORDINATOR,)),
        Transition("reject", (MatchStatus.IN_REVIEW,), MatchStatus.REJECTED, (COORDINATOR,)),
        Transition("return", (MatchStatus.IN_REVIEW,), MatchStatus.RETURNED, (COORDINATOR,)),
        Transition("resubmit", (MatchStatus.RETURNED,), MatchStatus.IN_REVIEW, (OWNER,)),
        Transition("study", (MatchStatus.REFERRED,), MatchStatus.IN_STUDY, (STAFF,)),
        Transition("ask", (MatchStatus.IN_STUDY,), MatchStatus.WAITING, (STAFF,)),
        Transition("answer", (MatchStatus.WAITING,), MatchStatus.IN_STUDY, (OWNER,)),
        Transition("offer_terms", (MatchStatus.IN_STUDY,), MatchStatus.TERMS_OFFERED, (STAFF,)),
        Transition(
            "decline",
            (MatchStatus.REFERRED, MatchStatus.IN_STUDY, MatchStatus.WAITING),
            MatchStatus.DECLINED,
            (STAFF,),
        ),
        Transition("accept", (MatchStatus.TERMS_OFFERED,), MatchStatus.ACCEPTED, (OWNER,)),
        Transition("decline_terms", (MatchStatus.TERMS_OFFERED,), MatchStatus.DECLINED, (OWNER,)),
        Transition("complete", (MatchStatus.ACCEPTED,), MatchStatus.COMPLETED, (STAFF,)),
        Transition(
            "fall_through",
            (MatchStatus.ACCEPTED,),
            MatchStatus.FALLEN_THROUGH,
            (OWNER, STAFF, CLOCK),
        ),
        Transition(
            "withdraw",
            (
                MatchStatus.IN_REVIEW,
                MatchStatus.RETURNED,
                MatchStatus.REFERRED,
                MatchStatus.IN_STUDY,
                MatchStatus.WAITING,
                MatchStatus.TERMS_OFFERED,
            ),
            MatchStatus.WITHDRAWN,
            (OWNER,),
        ),
        Transition(
            "supersede",
            (
                MatchStatus.IN_REVIEW,
                MatchStatus.RETURNED,
                MatchStatus.REFERRED,
                MatchStatus.IN_STUDY,
                MatchStatus.WAITING,
                MatchStatus.TERMS_OFFERED,
            ),
            MatchStatus.SUPERSEDED,
            (OWNER,),
        ),
        # Silence of an office never kills a match: what is in review does not expire.
        Transition(
            "expire",
            (
                MatchStatus.RETURNED,
                MatchStatus.REFERRED,
                MatchStatus.IN_STUDY,
                MatchStatus.WAITING,
                MatchStatus.TERMS_OFFERED,
            ),
            MatchStatus.EXPIRED,
            (CLOCK,),
        ),
        # Alternatives that still hold come back when an accepted match falls through.
        Transition(
            "restore", (MatchStatus.SUPERSEDED,), MatchStatus.IN_REVIEW, (OWNER, STAFF, CLOCK)
        ),
    ),
)

PLEDGE = Lifecycle(
    name="pledge",
    states=tuple(PledgeStatus.values),
    initial=PledgeStatus.PLANNED,
    transitions=(
        Transition("register", (PledgeStatus.PLANNED,), PledgeStatus.REGISTERED, (STAFF,)),
        Transition("release", (PledgeStatus.REGISTERED,), PledgeStatus.RELEASED, (STAFF,)),
        Transition(
            "cancel",
            (PledgeStatus.PLANNED,),
            PledgeStatus.CANCELLED,
            (OWNER, STAFF, CLOCK),
        ),
    ),
)
