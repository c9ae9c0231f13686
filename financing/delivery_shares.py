"""How far offers keep what they posted, from what became of their referrals; `match_rows` asks.

A referral is due once it is known what the institution made of it: it offered terms, it declined,
or its time passed in silence. It is kept where terms came in time, at or below posted cost, were
not broken off by the institution after acceptance, and the business did not find what it got to
differ. Withdrawn, superseded and still open referrals, and those that ended because the business
was silent, say nothing (MATCHING 1).
"""

from collections.abc import Iterable
from datetime import date
from typing import Literal

from django.db.models import Count, Exists, F, OuterRef, Q

from financing.id_arrays import one_of
from financing.matching.delivery import smoothed_delivery_ppm
from financing.models.disclosures import Disclosure, DisclosureStage
from financing.models.drawdowns import Delivery
from financing.models.matches import Match, MatchDecision, MatchStatus
from financing.models.questions import Question
from financing.models.terms import Terms

OfferField = Literal["loan_offer", "insurance_offer"]


def delivery_shares_ppm(
    offer_ids: Iterable[int],
    on: date,
    *,
    prior_count: int,
    offer_field: OfferField = "loan_offer",
) -> dict[int, int]:
    """Smoothed share in ppm by offer id, in one query; offers without a due referral are absent.

    `prior_count` referrals count as kept before there is evidence.
    """
    of_match = {"match": OuterRef("pk")}
    by_staff = MatchDecision.objects.filter(**of_match, by__institution_post__isnull=False)
    rows = (
        Match.objects.filter(
            one_of(Match, f"{offer_field}_id", offer_ids), referred_at__isnull=False
        )
        .annotate(
            has_terms=Exists(Terms.objects.filter(**of_match)),
            has_good_terms=Exists(
                Terms.objects.filter(**of_match, is_in_time=True, is_at_posted_cost=True)
            ),
            is_declined=Exists(by_staff.filter(action="decline")),
            is_broken_off=Exists(by_staff.filter(action="fall_through")),
            is_different=Exists(Delivery.objects.filter(**of_match, is_as_agreed=False)),
            is_open=Exists(Disclosure.objects.filter(**of_match, stage=DisclosureStage.IDENTITY)),
            is_waiting=Exists(Question.objects.filter(**of_match, answered_at__isnull=True)),
        )
        .values(offer_id=F(f"{offer_field}_id"))
        .annotate(
            due=Count("pk", filter=_is_due(on)),
            kept=Count(
                "pk", filter=Q(has_good_terms=True, is_broken_off=False, is_different=False)
            ),
        )
        .order_by()
    )
    return {
        row["offer_id"]: smoothed_delivery_ppm(
            kept_count=row["kept"], due_count=row["due"], prior_count=prior_count
        )
        for row in rows
        if row["due"]
    }


def _is_due(on: date) -> Q:
    # Interested, and the business has not opened its identity: the business is awaited.
    is_lenders_turn = Q(interested_at__isnull=True) | Q(is_open=True)
    is_silent = Q(status=MatchStatus.EXPIRED, is_waiting=False) & is_lenders_turn
    is_late = (
        Q(status__in=[MatchStatus.REFERRED, MatchStatus.IN_STUDY], deadline_on__lt=on)
        & is_lenders_turn
    )
    return Q(has_terms=True) | Q(is_declined=True) | is_silent | is_late
