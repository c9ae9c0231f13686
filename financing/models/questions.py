"""What an institution asks in its study, and what the business answers; the clock stands still."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from financing.models.matches import Match
from financing.models.terms import MatchPartQuerySet
from sipo_portal.accounts.models import User


class Question(models.Model):
    match = models.ForeignKey(Match, on_delete=models.PROTECT, related_name="questions")
    text = models.TextField(_("question"), max_length=4000)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField(auto_now_add=True)
    answer = models.TextField(_("answer"), blank=True, max_length=4000)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True, blank=True)

    objects = MatchPartQuerySet.as_manager()

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        ordering = ["asked_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["match"],
                condition=Q(answered_at__isnull=True),
                name="question_one_open_per_match",
            )
        ]

    def __str__(self) -> str:
        return f"{self.match} {self.asked_at:%Y-%m-%d}"


class AnswerFileQuerySet(models.QuerySet["AnswerFile"]):
    def visible_to(self, user: User) -> AnswerFileQuerySet:
        """Follows the match of the question."""
        return self.filter(question__match__in=Match.objects.visible_to(user))


class AnswerFile(models.Model):
    """A file the business handed over; stored under a random name, served as an attachment."""

    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(_("file name"), max_length=200)
    media_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    added_at = models.DateTimeField(auto_now_add=True)

    objects = AnswerFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name
