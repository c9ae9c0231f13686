"""What an owner should do next, and by when: the list on the home page; the home view calls it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from businesses.models import Business, Patent
from businesses.models.businesses import BusinessStatus
from businesses.models.patents import PatentStatus
from businesses.selectors import annuity_status
from financing.models.insurance_policies import RENEWAL_DAYS, InsurancePolicy
from financing.models.loan_requests import LoanRequest
from financing.models.matches import Match, MatchStatus
from financing.models.requests import RequestStatus
from financing.owner_selectors import requests_of, with_consent
from financing.pair_kinds import AnyRequest
from financing.permissions import IN_HAND_STATUSES, LIVE_PATENT_STATUSES, against_requesting
from financing.request_words import request_address, title_of
from sipo_portal.accounts.models import User
from sipo_portal.ui import formats


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to do. `urgency`: 0 a day is running, 1 stands in the way, 2 moves things on."""

    urgency: int
    title: str
    hint: str
    url: str
    by: date | None = None

    @property
    def tag(self) -> str:
        """Words of the tag beside it."""
        if self.by is not None:
            return _("by %(day)s") % {"day": formats.day(self.by)}
        return _("Needed") if self.urgency < 2 else _("Next")

    @property
    def tone(self) -> str:
        return "attention" if self.urgency < 2 else "progress"


@dataclass(frozen=True)
class OwnerHome:
    """Everything on the owner's home page."""

    steps: list[NextStep]
    businesses: list[Business]
    requests: list[AnyRequest]


def owner_home(user: User, *, today: date) -> OwnerHome:
    """In a number of queries that does not depend on what the user has."""
    businesses = list(
        Business.objects.visible_to(user)
        .select_related("region")
        .annotate(
            has_patents=Exists(
                Patent.objects.filter(business=OuterRef("pk"), status__in=LIVE_PATENT_STATUSES)
            ),
            has_draft_patents=Exists(
                Patent.objects.filter(business=OuterRef("pk"), status=PatentStatus.DRAFT)
            ),
        )
    )
    requests = requests_of(user)
    steps = [
        *_businesses(businesses),
        *_matches(user),
        *_referred(user),
        *_renewals(user, today),
        *_annuities(user, today),
        *_requests(requests),
        *_first_requests(businesses, requests),
    ]
    steps.sort(key=lambda step: (step.urgency, step.by or date.max))
    return OwnerHome(steps, businesses, requests)


def _businesses(businesses: list[Business]) -> Iterator[NextStep]:
    if not businesses:
        yield NextStep(
            1,
            _("Register your business"),
            _("With its social credit code. It takes about three minutes."),
            reverse("businesses:register"),
        )
    for business in businesses:
        if business.status == BusinessStatus.SUSPENDED:
            continue
        if business.size_class == "undetermined":
            yield NextStep(
                1,
                _("State staff, revenue and assets"),
                _("Only small and micro businesses can ask for a loan. %(business)s")
                % {"business": business.name},
                reverse("businesses:edit", args=[business.pk]),
            )
        may_ask = business.may_request or business.size_class == "undetermined"
        if may_ask and not business.has_patents:  # type: ignore[attr-defined]
            yield _first_patent(business)


def _first_patent(business: Business) -> NextStep:
    if business.has_draft_patents:  # type: ignore[attr-defined]
        return NextStep(
            1,
            _("Finish registering your patent"),
            business.name,
            reverse("businesses:patent_list", args=[business.pk]),
        )
    return NextStep(
        1,
        _("Add your patents"),
        _("A loan needs at least one. %(business)s") % {"business": business.name},
        reverse("businesses:patent_add", args=[business.pk]),
    )


def _matches(user: User) -> Iterator[NextStep]:
    returned = (
        Match.objects.visible_to(user)
        .filter(status=MatchStatus.RETURNED)
        .select_related("business", "loan_request", "insurance_request")
    )
    for match in returned:
        yield NextStep(
            0,
            _("Answer the branch office"),
            _("It asks for more before the review goes on. %(business)s")
            % {"business": match.business.name},
            request_address(match.request, "detail"),
            match.deadline_on,
        )


def _referred(user: User) -> Iterator[NextStep]:
    """What institutions wait for: answers, consent, a decision on terms."""
    matches = (
        with_consent(Match.objects.visible_to(user))
        .filter(
            status__in=(
                MatchStatus.REFERRED,
                MatchStatus.IN_STUDY,
                MatchStatus.WAITING,
                MatchStatus.TERMS_OFFERED,
                MatchStatus.COMPLETED,
            )
        )
        .exclude(status=MatchStatus.COMPLETED, delivery__isnull=False)
        .select_related("business", "institution")
    )
    for match in matches:
        url = reverse("financing:owner_match", args=[match.pk])
        hint = _("%(institution)s, %(business)s") % {
            "institution": match.institution.label,
            "business": match.business.name,
        }
        if match.status == MatchStatus.TERMS_OFFERED:
            yield NextStep(0, _("Accept or decline the terms"), hint, url, match.deadline_on)
        elif match.status == MatchStatus.COMPLETED:
            yield NextStep(2, _("Confirm what you got"), hint, f"{url}#delivery")
        elif match.status == MatchStatus.WAITING:
            yield NextStep(0, _("Answer the institution"), hint, url, match.deadline_on)
        elif not match.has_own_consent:
            is_awaited = match.interested_at is not None
            by = match.deadline_on if is_awaited else None
            title = _("Decide whether the institution may know who you are")
            yield NextStep(0 if is_awaited else 2, title, hint, url, by)
        elif not match.has_identity:
            yield NextStep(1, _("Other persons have to consent too"), hint, url)


def _renewals(user: User, today: date) -> Iterator[NextStep]:
    """Covers that end soon and that nobody asked to go on with."""
    ending = (
        InsurancePolicy.objects.visible_to(user)
        .filter(
            renewal_request__isnull=True,
            ends_on__gte=today,
            ends_on__lte=today + timedelta(days=RENEWAL_DAYS),
        )
        .select_related("match__business")
    )
    for policy in ending:
        yield NextStep(
            2,
            _("Ask for the next period of your insurance"),
            _("Policy %(number)s, %(business)s")
            % {"number": policy.number, "business": policy.match.business.name},
            f"{reverse('financing:owner_match', args=[policy.match_id])}#progress",
            policy.ends_on,
        )


def _annuities(user: User, today: date) -> Iterator[NextStep]:
    patents = Patent.objects.visible_to(user).filter(status__in=LIVE_PATENT_STATUSES).with_facts()
    unknown: list[Patent] = []
    for patent in patents:
        status = annuity_status(patent, on=today)
        url = reverse("businesses:patent_detail", args=[patent.pk])
        if status.state == "in_grace":
            yield NextStep(
                0,
                _("Pay the overdue annuity of a patent"),
                _("%(patent)s: %(amount)s with surcharge. Unpaid, the patent ends.")
                % {"patent": patent.title, "amount": formats.yuan(status.amount_due)},
                url,
                status.grace_ends_on,
            )
        elif status.state == "due_soon":
            yield NextStep(
                0,
                _("Pay an annuity"),
                _("%(patent)s: %(amount)s")
                % {"patent": patent.title, "amount": formats.yuan(status.amount_due)},
                url,
                status.payable_until,
            )
        elif status.state == "unknown":
            unknown.append(patent)
    if unknown:
        first = unknown[0]
        yield NextStep(
            1,
            _("Record which annuities are paid"),
            ngettext(
                "%(count)d patent cannot be pledged until this is known.",
                "%(count)d patents cannot be pledged until this is known.",
                len(unknown),
            )
            % {"count": len(unknown)},
            reverse("businesses:patent_edit", args=[first.pk])
            if len(unknown) == 1
            else reverse("businesses:patent_list", args=[first.business_id]),
        )


def _requests(requests: list[AnyRequest]) -> Iterator[NextStep]:
    for each in requests:
        detail = request_address(each, "detail")
        name = each.business.name
        if each.status == RequestStatus.DRAFT:
            title = (
                _("Finish your loan request")
                if isinstance(each, LoanRequest)
                else _("Finish your insurance request")
            )
            yield NextStep(2, title, name, detail)
        elif each.status == RequestStatus.RETURNED:
            yield NextStep(1, _("Complete the request that was returned"), name, detail)
        elif each.status == RequestStatus.OPEN:
            yield from _open_request(each, detail)


def _open_request(each: AnyRequest, detail: str) -> Iterator[NextStep]:
    # A business may have one request of each cover open.
    hint = _("%(request)s, %(business)s") % {
        "request": title_of(each),
        "business": each.business.name,
    }
    proposals: int = each.proposal_count  # type: ignore[union-attr]
    matches: int = each.match_count  # type: ignore[union-attr]
    if proposals:
        yield NextStep(
            2,
            ngettext(
                "Look at %(count)d offer that fits",
                "Look at %(count)d offers that fit",
                proposals,
            )
            % {"count": proposals},
            hint,
            detail,
        )
    elif not matches:
        yield NextStep(
            2,
            _("See what would make an offer fit"),
            hint,
            request_address(each, "offers"),
        )


def _first_requests(businesses: list[Business], requests: list[AnyRequest]) -> Iterator[NextStep]:
    busy = {
        each.business_id
        for each in requests
        if isinstance(each, LoanRequest)
        and (each.status == RequestStatus.DRAFT or each.status in IN_HAND_STATUSES)
    }
    ready = [
        business
        for business in businesses
        if business.pk not in busy
        and business.has_patents  # type: ignore[attr-defined]
        and not against_requesting(business)
    ]
    if ready:
        yield NextStep(
            2,
            _("Ask for a loan"),
            _("You see at once which offers fit and why."),
            reverse("financing:request_start"),
        )
