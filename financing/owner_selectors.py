"""What an owner's pages show of requests, matches and patents; called by views, nothing is changed.

Every function starts from `visible_to` and needs a number of queries that does not grow with rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Case, Count, Exists, OuterRef, Prefetch, Q, QuerySet, Value, When

from businesses.models import Appraisal, Business, Patent
from businesses.models.patents import PatentQuerySet
from businesses.rules.annuities import AnnuityStatus
from businesses.rules.findings import Finding, has_hard
from businesses.rules.insurability import InsuranceConditions
from businesses.selectors import (
    annuity_status,
    expires_on,
    insurability_of,
    latest_appraisal,
    registrability_of,
)
from financing.models.consents import Consent, ConsentPurpose
from financing.models.disclosures import Disclosure, DisclosureStage
from financing.models.drawdowns import Delivery
from financing.models.matches import MATCH_LIVE_STATUSES, Match, MatchDecision
from financing.models.proposals import Proposal
from financing.pair_kinds import KINDS, LOAN, AnyRequest, PairKind, kind_of
from financing.permissions import LIVE_PATENT_STATUSES
from sipo_portal.accounts.models import User


def requests_of(user: User) -> list[AnyRequest]:
    """The requests of the user's businesses, of both kinds, with what a list says about each."""
    requests: list[AnyRequest] = []
    for kind in KINDS:
        requests += (
            kind.requests._default_manager.visible_to(user)
            .select_related("business")
            .annotate(
                proposal_count=Count("proposals", distinct=True),
                match_count=Count(
                    "matches", filter=Q(matches__status__in=MATCH_LIVE_STATUSES), distinct=True
                ),
            )
        )
    return sorted(requests, key=lambda each: each.created_at, reverse=True)


@dataclass(frozen=True)
class PatentChoice:
    """A live patent as a choice for a request: facts and what stands against pledge or cover."""

    patent: Patent
    expires_on: date
    annuity: AnnuityStatus
    appraisal: Appraisal | None
    findings: tuple[Finding, ...]

    @property
    def is_suitable(self) -> bool:
        """Nothing hard stands against it; it may be offered even where something does."""
        return not has_hard(self.findings)


def live_patents(business: Business) -> PatentQuerySet:
    """What a request may offer, in the order of the page."""
    patents: PatentQuerySet = Patent.objects.all()
    return patents.filter(business=business, status__in=LIVE_PATENT_STATUSES)


def patent_choices(patents: Iterable[Patent], kind: PairKind, *, on: date) -> list[PatentChoice]:
    """`patents` read `with_facts`: no query per patent.

    What stands against a pledge, or against insurance under the usual conditions (DOMAIN 4.5).
    """
    return [
        PatentChoice(
            patent=patent,
            expires_on=expires_on(patent),
            annuity=annuity_status(patent, on=on),
            appraisal=latest_appraisal(patent, on=on),
            findings=registrability_of(patent, on=on)
            if kind is LOAN
            else insurability_of(patent, on=on, conditions=InsuranceConditions()),
        )
        for patent in patents
    ]


def with_consent(matches: QuerySet[Match]) -> QuerySet[Any]:
    """Each match with `has_own_consent` (of its business) and `has_identity`, for lists.

    A person's withdrawal is not looked at: `consent_state` has the whole of one match.
    """
    own = Consent.objects.filter(
        business=OuterRef("business"),
        institution=OuterRef("institution"),
        purpose=OuterRef("shared_for"),
        person_name="",
        withdrawn_at=None,
    )
    identity = Disclosure.objects.filter(match=OuterRef("pk"), stage=DisclosureStage.IDENTITY)
    loan, insurance = Value(str(ConsentPurpose.LOAN)), Value(str(ConsentPurpose.INSURANCE))
    return matches.annotate(
        shared_for=Case(When(loan_request__isnull=False, then=loan), default=insurance)
    ).annotate(has_own_consent=Exists(own), has_identity=Exists(identity))


def matches_of(subject: AnyRequest, user: User) -> list[Match]:
    """Every match of the request with the decisions its business may read; live ones first.

    Besides `with_consent`, each has `has_delivery`: the business said what it got.
    """
    matches = (
        with_consent(Match.objects.visible_to(user))
        .annotate(has_delivery=Exists(Delivery.objects.filter(match=OuterRef("pk"))))
        .filter(**{kind_of(subject).request_field: subject})
        .select_related("institution", "loan_offer", "insurance_offer")
        .prefetch_related(
            Prefetch("decisions", queryset=MatchDecision.objects.visible_to(user)),
        )
    )
    return sorted(matches, key=lambda match: (not match.is_live, match.created_at))


def proposals_of(subject: AnyRequest, user: User) -> QuerySet[Proposal]:
    """What the latest run proposes for the request, best first."""
    return (
        Proposal.objects.visible_to(user)
        .filter(**{kind_of(subject).request_field: subject})
        .select_related("loan_offer__institution", "insurance_offer__institution", "run")
        .order_by("rank", "pk")
    )
