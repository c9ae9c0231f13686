"""How the lender's inbox is narrowed down: by stage, and by whose turn it is."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from financing.models.matches import MatchStatus
from financing.referral_texts import LENDERS_TURN
from sipo_portal.offices.working_days import add_working_days

# Working days before a deadline from which it counts as near.
NEAR_WORKING_DAYS = 3


class StageFilter(admin.SimpleListFilter):
    title = gettext_lazy("stage")
    parameter_name = "stage"
    STAGES = {
        "new": (gettext_lazy("Waiting for the first answer or consent"), (MatchStatus.REFERRED,)),
        "study": (
            gettext_lazy("Being studied"),
            (MatchStatus.IN_STUDY, MatchStatus.WAITING, MatchStatus.TERMS_OFFERED),
        ),
        "agreed": (pgettext_lazy("stage", "Agreed"), (MatchStatus.ACCEPTED, MatchStatus.COMPLETED)),
        "over": (
            gettext_lazy("Over"),
            (
                MatchStatus.DECLINED,
                MatchStatus.WITHDRAWN,
                MatchStatus.SUPERSEDED,
                MatchStatus.EXPIRED,
                MatchStatus.FALLEN_THROUGH,
            ),
        ),
    }

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return [(key, label) for key, (label, _statuses) in self.STAGES.items()]

    def queryset(self, request: Any, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in self.STAGES:
            return queryset.filter(status__in=self.STAGES[str(self.value())][1])
        return queryset


class TurnFilter(admin.SimpleListFilter):
    title = gettext_lazy("whose turn")
    parameter_name = "turn"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("near", _("Yours, within three working days")),
            ("late", _("Yours, overdue")),
            ("ours", _("Yours")),
            ("theirs", _("The business's")),
        ]

    def queryset(self, request: Any, queryset: QuerySet[Any]) -> QuerySet[Any]:
        today = timezone.localdate()
        ours = Q(status__in=LENDERS_TURN) & ~Q(clock_stage="consent")
        near = add_working_days(today, NEAR_WORKING_DAYS)[0]
        waits = Q(status__in=[*LENDERS_TURN, MatchStatus.WAITING, MatchStatus.TERMS_OFFERED])
        chosen = {
            "near": ours & Q(deadline_on__range=(today, near)),
            "late": ours & Q(deadline_on__lt=today),
            "ours": ours,
            "theirs": waits & ~ours,
        }.get(str(self.value()))
        return queryset if chosen is None else queryset.filter(chosen)
