"""A proposal that a coordinator took: from review to the money, with every decision on it."""

from __future__ import annotations

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from businesses.models.businesses import Business
from businesses.models.patents import Patent
from financing.models.institutions import Institution
from financing.models.insurance_offers import InsuranceOffer
from financing.models.insurance_requests import InsuranceRequest
from financing.models.loan_offers import LoanOffer
from financing.models.loan_requests import LoanRequest
from financing.models.pairs import ONE_KIND, RequestAndOffer
from sipo_portal.accounts.models import Role, User

# No letters or digits that are mistaken for one another when read aloud.
REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


class MatchStatus(models.TextChoices):
    IN_REVIEW = "in_review", _("In review")
    RETURNED = "returned", _("Returned to the business")
    REFERRED = "referred", _("Referred")
    IN_STUDY = "in_study", _("In study")
    WAITING = "waiting", _("Waiting for the business")
    TERMS_OFFERED = "terms_offered", _("Terms offered")
    ACCEPTED = "accepted", _("Accepted")
    COMPLETED = "completed", _("Completed")
    REJECTED = "rejected", _("Rejected by the coordinator")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    SUPERSEDED = "superseded", _("Superseded")
    EXPIRED = "expired", _("Expired")
    FALLEN_THROUGH = "fallen_through", _("Fallen through")


# Somebody is still to act: counts towards k and blocks a second match with the same offer.
MATCH_LIVE_STATUSES = [
    MatchStatus.IN_REVIEW.value,
    MatchStatus.RETURNED.value,
    MatchStatus.REFERRED.value,
    MatchStatus.IN_STUDY.value,
    MatchStatus.WAITING.value,
    MatchStatus.TERMS_OFFERED.value,
    MatchStatus.ACCEPTED.value,
]
# Held capacity (DOMAIN 3, Capacity).
MATCH_HELD_STATUSES = [
    MatchStatus.REFERRED.value,
    MatchStatus.IN_STUDY.value,
    MatchStatus.WAITING.value,
]
# Booked capacity.
MATCH_BOOKED_STATUSES = [
    MatchStatus.TERMS_OFFERED.value,
    MatchStatus.ACCEPTED.value,
    MatchStatus.COMPLETED.value,
]


def new_reference() -> str:
    """A random reference that says nothing of business, order or number of matches."""
    symbols = [secrets.choice(REFERENCE_ALPHABET) for _position in range(10)]
    return f"{''.join(symbols[:5])}-{''.join(symbols[5:])}"


class MatchQuerySet(models.QuerySet["Match"]):
    def visible_to(self, user: User) -> MatchQuerySet:
        """Owner and coordinator through the business; staff of the institution once referred."""
        if not user.is_authenticated:
            return self.none()
        if user.role == Role.INSTITUTION_STAFF:
            return self.filter(
                institution__in=Institution.objects.visible_to(user), referred_at__isnull=False
            )
        return self.filter(business__in=Business.objects.visible_to(user))

    def live(self) -> MatchQuerySet:
        return self.filter(status__in=MATCH_LIVE_STATUSES)


class Match(RequestAndOffer, models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(
        _("reference"), max_length=11, unique=True, default=new_reference, editable=False
    )
    business = models.ForeignKey(Business, on_delete=models.PROTECT, related_name="matches")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="matches")
    loan_request = models.ForeignKey(
        LoanRequest, on_delete=models.PROTECT, null=True, blank=True, related_name="matches"
    )
    loan_offer = models.ForeignKey(
        LoanOffer, on_delete=models.PROTECT, null=True, blank=True, related_name="matches"
    )
    insurance_request = models.ForeignKey(
        InsuranceRequest, on_delete=models.PROTECT, null=True, blank=True, related_name="matches"
    )
    insurance_offer = models.ForeignKey(
        InsuranceOffer, on_delete=models.PROTECT, null=True, blank=True, related_name="matches"
    )
    status = models.CharField(
        _("status"),
        max_length=16,
        choices=MatchStatus,
        default=MatchStatus.IN_REVIEW,
        db_index=True,
    )
    status_changed_at = models.DateTimeField(null=True, blank=True)
    # The stored basket: acceptance pledges these patents (MATCHING 2).
    patents = models.ManyToManyField(Patent, related_name="matches")
    amount = models.DecimalField(_("amount (yuan)"), max_digits=16, decimal_places=2)
    saving = models.DecimalField(_("saving (yuan)"), max_digits=16, decimal_places=2)
    # The run that proposed it; runs are kept, proposals are not.
    run = models.ForeignKey(
        "financing.MatchRun", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    claimed_at = models.DateTimeField(null=True, blank=True)
    referred_at = models.DateTimeField(null=True, blank=True)
    # The lender said it would study the match once it knows the business.
    interested_at = models.DateTimeField(null=True, blank=True)
    # The clock of the stage (DOMAIN 3): when it began to run and when it has to be done. While the
    # other side is awaited it stands still, with the working days it had left.
    clock_stage = models.CharField(max_length=14, blank=True)
    # The working days of the whole stage, and those it was given when it began or went on.
    clock_days = models.SmallIntegerField(default=0)
    clock_days_granted = models.SmallIntegerField(default=0)
    stage_began_on = models.DateField(null=True, blank=True)
    deadline_on = models.DateField(_("deadline"), null=True, blank=True)
    is_deadline_provisional = models.BooleanField(default=False)
    days_left_when_stopped = models.SmallIntegerField(null=True, blank=True)
    stage_when_stopped = models.CharField(max_length=14, blank=True)
    reminded_at_half = models.DateTimeField(null=True, blank=True)
    reminded_at_end = models.DateTimeField(null=True, blank=True)
    # Silence of an office: the parent office that answers for the review now.
    escalated_to = models.ForeignKey(
        "offices.BranchOffice", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = MatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("match")
        verbose_name_plural = _("matches")
        ordering = ["-created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=ONE_KIND,
                name="match_one_kind",
            ),
            # Two coordinators who claim at once: one match.
            models.UniqueConstraint(
                fields=["loan_request", "loan_offer"],
                condition=Q(loan_request__isnull=False, status__in=MATCH_LIVE_STATUSES),
                name="loan_match_live_once",
            ),
            models.UniqueConstraint(
                fields=["insurance_request", "insurance_offer"],
                condition=Q(insurance_request__isnull=False, status__in=MATCH_LIVE_STATUSES),
                name="insurance_match_live_once",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_live(self) -> bool:
        return self.status in MATCH_LIVE_STATUSES


class DecisionReason(models.TextChoices):
    """Why a person decided as they did; the criterion a reason cites is a refusal code."""

    FITS = "fits", _("Fits the offer")
    FACTS_DOUBTFUL = "facts_doubtful", _("A stated fact is doubtful")
    CRITERION_NOT_MET = "criterion_not_met", _("A criterion of the offer is not met")
    INFORMATION_MISSING = "information_missing", _("Information is missing")
    PATENT_NOT_SUITABLE = "patent_not_suitable", _("The patent is not suitable")
    BUSINESS_NOT_READY = "business_not_ready", _("The business is not ready")
    BETTER_ALTERNATIVE = "better_alternative", _("Another offer serves better")
    OUTSIDE_APPETITE = "outside_appetite", _("Outside what the institution takes on now")
    # Of the business about terms, and of either side after acceptance.
    TOO_DEAR = "too_dear", _("The terms are too dear")
    AMOUNT_TOO_LOW = "amount_too_low", _("The amount is too low")
    CONDITIONS_UNACCEPTABLE = "conditions_unacceptable", _("The conditions are not acceptable")
    CONDITIONS_UNMET = "conditions_unmet", _("A condition of the terms was not met")
    NO_LONGER_NEEDED = "no_longer_needed", _("It is no longer needed")
    OTHER = "other", _("Another reason, stated in the text")


class MatchDecisionQuerySet(models.QuerySet["MatchDecision"]):
    def visible_to(self, user: User) -> MatchDecisionQuerySet:
        """Follows the match; the business sees only what was marked for it."""
        visible = self.filter(match__in=Match.objects.visible_to(user))
        if user.is_authenticated and user.role == Role.OWNER:
            return visible.filter(is_shown_to_business=True)
        if user.is_authenticated and user.role == Role.INSTITUTION_STAFF:
            return visible.filter(by__institution_post__isnull=False)
        return visible


class MatchDecision(models.Model):
    """A person's structured reason on a match (DOMAIN 3: mandatory)."""

    match = models.ForeignKey(Match, on_delete=models.CASCADE, related_name="decisions")
    action = models.CharField(_("decision"), max_length=20)
    reason = models.CharField(_("reason"), max_length=24, choices=DecisionReason)
    # The refusal code it cites, where it cites one, and the value of it then: the pair stays
    # blocked until that value changes (MATCHING 1).
    criterion = models.CharField(_("criterion"), max_length=30, blank=True)
    criterion_fingerprint = models.CharField(max_length=64, blank=True)
    text = models.TextField(_("explanation"), blank=True, max_length=2000)
    is_shown_to_business = models.BooleanField(_("show to the business"), default=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)

    objects = MatchDecisionQuerySet.as_manager()

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.match}: {self.action}"
