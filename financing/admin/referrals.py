"""The lender's inbox: blind referrals, showing nothing but what was disclosed.

Every value on these pages comes from the frozen `Disclosure`, the institution's own offer, or the
match's reference, state and dates. The address is the match's random id.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext
from django.utils.translation import gettext as _

from businesses.models.businesses import SizeClass
from businesses.models.patents import PatentKind
from businesses.rules import industries
from financing.bands import AMOUNT_BANDS, LIFE_BANDS, band_label
from financing.models.disclosures import Disclosure, DisclosureStage
from financing.models.matches import MatchStatus
from financing.models.referrals import Referral
from financing.services.referrals import open_referral
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.offices.working_days import working_days_between
from sipo_portal.ui import formats
from sipo_portal.ui.admin_site import portal_admin
from sipo_portal.ui.scoped_admin import ScopedModelAdmin
from sipo_portal.ui.templatetags.portal import status_tag

# Everything the pages read of the match itself.
COLUMNS = (
    "id",
    "reference",
    "status",
    "referred_at",
    "deadline_on",
    "institution_id",
    "loan_offer__name",
    "insurance_offer__name",
)


class StageFilter(admin.SimpleListFilter):
    title = gettext_lazy("stage")
    parameter_name = "stage"
    STAGES = {
        "new": (gettext_lazy("Waiting for your answer"), (MatchStatus.REFERRED,)),
        "study": (
            gettext_lazy("Being studied"),
            (MatchStatus.IN_STUDY, MatchStatus.WAITING, MatchStatus.TERMS_OFFERED),
        ),
        "agreed": (gettext_lazy("Agreed"), (MatchStatus.ACCEPTED, MatchStatus.COMPLETED)),
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


@admin.register(Referral, site=portal_admin)
class ReferralAdmin(ScopedModelAdmin):
    view_roles = (Role.INSTITUTION_STAFF,)
    fields = ["reference"]
    readonly_fields = ["reference"]
    list_display = [
        "reference",
        "state",
        "offer_name",
        "province",
        "industry",
        "size",
        "amount_band",
        "patents_offered",
        "answer_by",
    ]
    list_filter = [StageFilter]
    search_fields = ["reference"]
    ordering = ["-referred_at", "pk"]

    class Media:
        css = {"all": ["portal/financing_admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        blind = Disclosure.objects.filter(stage=DisclosureStage.BLIND)
        return (
            super()
            .get_queryset(request)
            .select_related("loan_offer", "insurance_offer")
            .only(*COLUMNS)
            .prefetch_related(Prefetch("disclosures", blind, to_attr="blind_disclosures"))
        )

    @admin.display(description=gettext_lazy("status"))
    def state(self, referral: Referral) -> SafeString:
        return status_tag(referral)

    @admin.display(description=gettext_lazy("offer"))
    def offer_name(self, referral: Referral) -> str:
        return str(referral.offer.name)

    @admin.display(description=gettext_lazy("province"))
    def province(self, referral: Referral) -> str:
        return _province(_blind(referral))

    @admin.display(description=gettext_lazy("industry"))
    def industry(self, referral: Referral) -> str:
        return _industry(_blind(referral))

    @admin.display(description=gettext_lazy("size class"))
    def size(self, referral: Referral) -> str:
        return _size(_blind(referral))

    @admin.display(description=gettext_lazy("amount"))
    def amount_band(self, referral: Referral) -> str:
        # Not named `amount`: Django would show the column of that name, the exact figure.
        return band_label(AMOUNT_BANDS, _blind(referral)["amount_band"])

    @admin.display(description=gettext_lazy("patents"))
    def patents_offered(self, referral: Referral) -> str:
        return _patents(_blind(referral))

    @admin.display(description=gettext_lazy("answer by"), ordering="deadline_on")
    def answer_by(self, referral: Referral) -> str:
        return formats.day(referral.deadline_on)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        referral = self.get_object(request, object_id)
        if request.method == "GET":
            open_referral(Actor.of(request.user), referral)
        context = {
            "title": _("Referral %(reference)s") % {"reference": referral.reference},
            "subtitle": None,
            "referral": referral,
            "facts": _facts(referral),
            "when": _when(referral),
            "is_new": referral.status == MatchStatus.REFERRED,
        }
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))


def _blind(referral: Referral) -> dict[str, Any]:
    """The frozen fields; `ReferralQuerySet.visible_to` lets none through without them."""
    fields: dict[str, Any] = referral.blind_disclosures[0].fields  # type: ignore[attr-defined]
    return fields


def _province(fields: dict[str, Any]) -> str:
    if formats.in_chinese():
        return str(fields["province_name"])
    return str(fields["province_name_en"] or fields["province_name"])


def _industry(fields: dict[str, Any]) -> str:
    division = str(fields["industry_division"])
    if not division:
        return formats.NOTHING
    language = "zh" if (get_language() or "zh").startswith("zh") else "en"
    try:
        return f"{division} {industries.name(division, language)}"
    except industries.UnknownIndustry:
        return division


def _size(fields: dict[str, Any]) -> str:
    labels = {str(value): str(label) for value, label in SizeClass.choices}
    return labels.get(fields["size_class"], str(fields["size_class"]))


def _patents(fields: dict[str, Any]) -> str:
    labels = {str(value): str(label) for value, label in PatentKind.choices}
    return ", ".join(
        f"{labels.get(kind, kind)} × {count}"  # a list of counts, not a sentence
        for kind, count in fields["patents_by_kind"].items()
    )


def _facts(referral: Referral) -> list[dict[str, Any]]:
    fields = _blind(referral)
    return [
        {"label": _("Your offer"), "value": referral.offer.name},
        {"label": _("Province of the business"), "value": _province(fields)},
        {
            "label": _("Industry"),
            "value": _industry(fields),
            "note": _("two digits, GB/T 4754-2017"),
        },
        {"label": _("Size class"), "value": _size(fields)},
        {"label": _("Amount"), "value": band_label(AMOUNT_BANDS, fields["amount_band"])},
        {"label": _("Patents offered as collateral"), "value": _patents(fields)},
        {
            "label": _("Life of the patent that ends first"),
            "value": band_label(LIFE_BANDS, fields["life_band"]),
            "note": _("on the day of the referral"),
        },
        {"label": pgettext("moment", "Referred"), "value": formats.moment(referral.referred_at)},
        {"label": _("Answer by"), "value": formats.day(referral.deadline_on)},
    ]


def _when(referral: Referral) -> str:
    """How long is left for the first answer; empty where nothing is awaited."""
    deadline, today = referral.deadline_on, timezone.localdate()
    if referral.status != MatchStatus.REFERRED or deadline is None:
        return ""
    if deadline < today:
        return _("The answer was due on %(day)s.") % {"day": formats.day(deadline)}
    left = working_days_between(today, deadline)
    return ngettext(
        "Answer by %(day)s, %(count)d working day left.",
        "Answer by %(day)s, %(count)d working days left.",
        left,
    ) % {"day": formats.day(deadline), "count": left}
