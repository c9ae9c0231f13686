"""One execution of the matcher, stored so that it can be followed, explained and replayed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from financing.models.policies import MatchingPolicy
from sipo_portal.accounts.models import Role, User
from sipo_portal.offices.models import BranchOffice


class RunKind(models.TextChoices):
    FULL = "full", _("All open requests")
    REQUEST = "request", _("One request")
    OFFER = "offer", _("One offer")


class RunStatus(models.TextChoices):
    QUEUED = "queued", _("Waiting to start")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class RunStage(models.TextChoices):
    READING = "reading", _("Reading requests and offers")
    MATCHING = "matching", _("Checking rules and allocating capacity")
    WRITING = "writing", _("Writing proposals")


class MatchRunQuerySet(models.QuerySet["MatchRun"]):
    def written(self) -> MatchRunQuerySet:
        """Without what-ifs that nobody confirmed: their results are not what stands."""
        return self.exclude(is_dry_run=True, confirmed_at__isnull=True)

    def visible_to(self, user: User) -> MatchRunQuerySet:
        """Coordinators see national runs and those of their own office and the ones below it.

        Of the runs over one request those of their region; runs over one offer are everybody's.
        """
        if not user.is_authenticated or user.role != Role.COORDINATOR or user.office is None:
            return self.none()
        inside = user.office.scope_prefix
        return self.filter(
            Q(kind=RunKind.FULL) & (Q(scope_prefix="") | Q(scope_prefix__startswith=inside))
            | Q(loan_request__business__region__code__startswith=inside)
            | Q(insurance_request__business__region__code__startswith=inside)
            | Q(kind=RunKind.OFFER)
        )


class MatchRun(models.Model):
    kind = models.CharField(_("kind"), max_length=8, choices=RunKind)
    status = models.CharField(
        _("status"), max_length=10, choices=RunStatus, default=RunStatus.QUEUED, db_index=True
    )
    status_changed_at = models.DateTimeField(null=True, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # Null: a nightly run of the whole country.
    office = models.ForeignKey(
        BranchOffice, on_delete=models.PROTECT, null=True, blank=True, related_name="match_runs"
    )
    # The day of a nightly run: two beats that fire at once still make one run.
    nightly_of = models.DateField(null=True, blank=True, unique=True)
    # The region a run covers, as a prefix of division codes; empty is the whole country.
    scope_prefix = models.CharField(max_length=6, blank=True, db_index=True)
    # Which one request or offer an incremental run is about.
    loan_request = models.ForeignKey(
        "financing.LoanRequest", on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    loan_offer = models.ForeignKey(
        "financing.LoanOffer", on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    insurance_request = models.ForeignKey(
        "financing.InsuranceRequest",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
    )
    insurance_offer = models.ForeignKey(
        "financing.InsuranceOffer",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
    )
    policy = models.ForeignKey(
        MatchingPolicy, on_delete=models.PROTECT, null=True, blank=True, related_name="runs"
    )
    as_of = models.DateField(_("as of"), null=True, blank=True)
    engine_version = models.CharField(max_length=40, blank=True)
    input_digest = models.CharField(max_length=64, blank=True)
    result_digest = models.CharField(max_length=64, blank=True)
    seed = models.CharField(max_length=64, blank=True)
    stage = models.CharField(_("stage"), max_length=10, choices=RunStage, blank=True)
    progress_percent = models.PositiveSmallIntegerField(default=0)
    request_count = models.PositiveIntegerField(null=True, blank=True)
    offer_count = models.PositiveIntegerField(null=True, blank=True)
    proposal_count = models.PositiveIntegerField(null=True, blank=True)
    reached_count = models.PositiveIntegerField(null=True, blank=True)
    saving_total = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    value = models.DecimalField(max_digits=20, decimal_places=2, null=True, blank=True)
    bound = models.DecimalField(max_digits=20, decimal_places=2, null=True, blank=True)
    # Reached and eligible by size class, province, amount band and waiting time.
    fairness = models.JSONField(default=dict, blank=True)
    # Offers that were short in this run, by id: value per million fen of capacity (certificate).
    prices = models.JSONField(default=dict, blank=True)
    # Of a run over the country: yuan proposed by offer id and division of the business, which
    # regional runs share by (MATCHING 4); proposals themselves are replaced and claimed.
    allotted = models.JSONField(default=dict, blank=True)
    # As `prices`, for offers short of pieces: value of one more, in fen.
    count_prices = models.JSONField(default=dict, blank=True)
    # Requests that some offer fits; null for a run that did not count them.
    eligible_count = models.PositiveIntegerField(null=True, blank=True)
    # A what-if: decides and keeps its result, writes no proposal unless it is confirmed.
    is_dry_run = models.BooleanField(default=False)
    # What a what-if supposes (services.dry_runs.Supposition); empty: things as they are.
    supposed = models.JSONField(default=dict, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    # Why a confirmed what-if was not written after all, as a code.
    confirm_refusal = models.CharField(max_length=20, blank=True)
    # While it works: stage of the matcher, lines read, value bound so far (fen).
    progress = models.JSONField(default=dict, blank=True)
    # Worked on by several workers, in rounds (services.sharded_runs).
    is_sharded = models.BooleanField(default=False)
    # Wall seconds by stage, and the most memory the worker held.
    timings = models.JSONField(default=dict, blank=True)
    peak_mib = models.PositiveIntegerField(null=True, blank=True)
    # Whose prices it began with.
    warm_from = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    failure = models.TextField(blank=True)
    start_count = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = MatchRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("match run")
        verbose_name_plural = _("match runs")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"R{self.pk}"

    @property
    def is_finished(self) -> bool:
        return self.status in (RunStatus.DONE, RunStatus.FAILED, RunStatus.CANCELLED)

    @property
    def gap(self) -> float | None:
        """(bound - value) / bound; None before there is a bound."""
        if not self.bound or self.value is None:
            return None
        return float(1 - self.value / self.bound)
