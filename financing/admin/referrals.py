"""The lender's inbox: referrals as far as they were disclosed, and the way to its answer.

Every value on these pages comes from a frozen `Disclosure`, the institution's own offer, questions
and terms, the answers given to it, or the match's reference, state and dates. The address is the
match's random id. The steps are in `referral_steps`.
"""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy, pgettext
from django.utils.translation import gettext as _

from businesses.models.businesses import SizeClass
from businesses.models.patents import PatentKind
from businesses.rules import industries
from financing.admin.completion_steps import COMPLETION_ACTIONS, CompletionSteps
from financing.admin.policy_steps import POLICY_ACTION, PolicySteps
from financing.admin.referral_filters import StageFilter, TurnFilter
from financing.admin.referral_steps import ACTIONS, ReferralSteps, consent_of
from financing.bands import AMOUNT_BANDS, LIFE_BANDS, band_label
from financing.identity_texts import identity_of
from financing.models.disclosures import Disclosure, DisclosureStage
from financing.models.matches import MatchDecision
from financing.models.questions import AnswerFile, Question
from financing.models.referrals import Referral
from financing.models.terms import Terms
from financing.referral_texts import (
    REFUSALS,
    short_deadline,
    standing_terms_facts,
    what_now,
)
from financing.rule_texts import listed
from financing.services.questions import FileClosed, read_file
from financing.services.referrals import open_identity, open_referral
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.ui import formats
from sipo_portal.ui.admin_site import portal_admin
from sipo_portal.ui.scoped_admin import ScopedModelAdmin
from sipo_portal.ui.scoped_relations import visible_rows
from sipo_portal.ui.templatetags.portal import status_tag

# Everything the pages read of the match itself.
COLUMNS = (
    "id",
    "reference",
    "status",
    "referred_at",
    "interested_at",
    "deadline_on",
    "clock_stage",
    "business_id",
    "institution_id",
    "loan_request_id",
    "insurance_request_id",
    "loan_offer__name",
    "insurance_offer__name",
)


@admin.register(Referral, site=portal_admin)
class ReferralAdmin(PolicySteps, CompletionSteps, ReferralSteps, ScopedModelAdmin):
    step_actions = (*ACTIONS, *COMPLETION_ACTIONS, POLICY_ACTION)
    view_roles = (Role.INSTITUTION_STAFF,)
    change_form_template = "admin/financing/referral/change_form.html"
    fields = ["reference"]
    readonly_fields = ["reference"]
    list_display = [
        "reference",
        "state",
        "answer_by",
        "offer_name",
        "business_type",
        "amount_band",
        "patents_offered",
    ]
    list_filter = [TurnFilter, StageFilter]
    search_fields = ["reference"]
    # What is due soonest stands first; what is over has no deadline.
    ordering = [F("deadline_on").asc(nulls_last=True), "-referred_at", "pk"]

    class Media:
        css = {"all": ["portal/financing_admin.css"]}

    @property
    def step_roles(self) -> tuple[str, ...]:
        """The match is no row to change, but its institution answers it."""
        return self.view_roles

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

    @admin.display(description=gettext_lazy("business"))
    def business_type(self, referral: Referral) -> str:
        fields = _blind(referral)
        return listed([_province(fields), _industry(fields), _size(fields)])

    @admin.display(description=gettext_lazy("amount"))
    def amount_band(self, referral: Referral) -> str:
        # Not named `amount`: Django would show the column of that name, the exact figure.
        return band_label(AMOUNT_BANDS, _blind(referral)["amount_band"])

    @admin.display(description=gettext_lazy("patents"))
    def patents_offered(self, referral: Referral) -> str:
        return _patents(_blind(referral))

    @admin.display(description=gettext_lazy("answer by"), ordering="deadline_on")
    def answer_by(self, referral: Referral) -> str:
        return short_deadline(referral, today=timezone.localdate())

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<uuid:object_id>/files/<int:file_id>/",
            self.admin_site.admin_view(self.file_view),
            name="financing_referral_file",
        )
        return [page, *super().get_urls()]

    def file_view(self, request: HttpRequest, object_id: Any, file_id: int) -> HttpResponse:
        """A file the business sent with an answer; always a download, audited by the service."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        referral = self.get_object(request, str(object_id))
        files = visible_rows(AnswerFile, request).defer("content")
        file = get_object_or_404(files.filter(question__match_id=referral.pk), pk=file_id)
        try:
            served = read_file(actor=Actor.of(request.user), file=file)
        except FileClosed:
            messages.error(request, str(REFUSALS["consent_withdrawn"]))
            return self._to_row(referral)
        response = HttpResponse(served.content, content_type="application/octet-stream")
        response["Content-Disposition"] = content_disposition_header(True, served.name)
        response["Content-Security-Policy"] = "sandbox; default-src 'none'"
        return response

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        referral = self.get_object(request, object_id)
        consent = consent_of(referral)
        identity = consent.identity if consent.is_open else None
        if request.method == "GET":
            open_referral(Actor.of(request.user), referral)
            if identity is not None:
                identity = open_identity(Actor.of(request.user), referral)
        terms = visible_rows(Terms, request).filter(match_id=referral.pk).first()
        context = {
            "title": _("Referral %(reference)s") % {"reference": referral.reference},
            "subtitle": None,
            "referral": referral,
            "facts": _facts(referral),
            "now": what_now(referral, consent, today=timezone.localdate()),
            "steps": self.steps(request, referral),
            "identity": identity_of(identity.fields) if identity is not None else None,
            "was_closed": consent.was_closed,
            "terms": terms,
            "terms_facts": _terms_facts(referral, terms),
            "questions": _questions(referral, is_open=consent.is_open),
            "decisions": _decisions(referral, request),
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
        {"label": _("Patents"), "value": _patents(fields) or _("none")},
        *_life(fields),
        {"label": pgettext("moment", "Referred"), "value": formats.moment(referral.referred_at)},
    ]


def _life(fields: dict[str, Any]) -> list[dict[str, Any]]:
    """A cover without own patents has none that could end."""
    if not fields["patents_by_kind"]:
        return []
    return [
        {
            "label": _("Life of the patent that ends first"),
            "value": band_label(LIFE_BANDS, fields["life_band"]),
            "note": _("on the day of the referral"),
        }
    ]


def _terms_facts(referral: Referral, terms: Terms | None) -> list[dict[str, Any]]:
    """The newest terms, what they cost while they stand, and what became of them."""
    if terms is None:
        return []
    facts = standing_terms_facts(terms)
    if not terms.is_at_posted_cost:
        facts.append(
            {
                "label": _("Beside the posted terms"),
                "value": _("Dearer than posted: the business is told so."),
            }
        )
    return facts


def _questions(referral: Referral, *, is_open: bool) -> list[dict[str, Any]]:
    """Questions in their order; answers and files only while the consent stands."""
    rows = (
        Question.objects.filter(match_id=referral.pk)
        .select_related("asked_by")
        .prefetch_related(Prefetch("files", AnswerFile.objects.defer("content")))
    )
    return [
        {
            "question": row,
            "files": list(row.files.all()) if is_open else [],
            "is_answered": row.answered_at is not None,
            "is_shown": is_open,
        }
        for row in rows
    ]


def _decisions(referral: Referral, request: HttpRequest) -> QuerySet[Any]:
    """The institution's own decisions on the match, with their reasons."""
    own = visible_rows(MatchDecision, request).filter(match_id=referral.pk)
    return own.filter(action="decline").select_related("by")
