"""Loans as the matcher's rows, and what both kinds share; `kind_rows` reads them here.

Decimals of yuan and per cent become whole fen and parts per million at this border, and nowhere
else. The number of queries does not depend on the number of rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, F, Prefetch, QuerySet, Sum
from django.utils import timezone

from businesses.models import Business, Certificate, Patent
from businesses.models.co_owners import CoOwner
from businesses.models.encumbrances import EncumbranceKind
from businesses.rules.findings import Finding
from businesses.rules.reference_rates import lpr_percent
from businesses.selectors import expires_on, latest_appraisal, registrability_of
from financing.delivery_shares import OfferField, delivery_shares_ppm
from financing.id_arrays import one_of
from financing.matching import policy as matching_policy
from financing.matching import tables
from financing.matching.columns import PPM
from financing.models.insurance_offers import InsuranceOffer
from financing.models.insurance_requests import InsuranceRequest
from financing.models.loan_offers import LoanOffer, RateBasis
from financing.models.loan_requests import LoanRequest
from financing.models.matches import MATCH_HELD_STATUSES, Match
from financing.models.pledges import PLEDGE_LIVE_STATUSES, Pledge, PledgeStatus
from financing.models.policies import MatchingPolicy, WeightDimension

FEN = 100
PPM_OF_PERCENT = 10_000
ONE_YEAR_MONTHS = 12
FIVE_YEAR_MONTHS = 61
# Referrals taken as kept before there is evidence; the matcher's own default.
DELIVERY_PRIOR_COUNT = 10

# Judged against the offer or the term, or at registration: not facts of the patent alone.
PAIR_GROUNDS = frozenset({"already_pledged", "debt_outlives_patent", "contract_incomplete"})


def fen(yuan: Decimal) -> int:
    """Yuan of a record as whole fen."""
    return int((yuan * FEN).to_integral_value())


def yuan(amount_fen: int) -> Decimal:
    """Fen of the matcher as yuan of a record."""
    return Decimal(amount_fen) / FEN


def ppm(percent: Decimal) -> int:
    """Per cent of a record as parts per million."""
    return int((percent * PPM_OF_PERCENT).to_integral_value())


def policy_row(policy: MatchingPolicy, on: date) -> matching_policy.MatchingPolicy:
    """The stored policy with the reference rates of the day."""
    weights = list(policy.weights.all())
    return matching_policy.MatchingPolicy(
        version=f"v{policy.version}",
        as_of=on,
        seed=policy.seed,
        max_proposals_count=policy.proposals_per_request,
        alternative_share_ppm=ppm(policy.alternative_share * 100),
        loan_coverage_value_fen=fen(policy.loan_coverage_value),
        insurance_coverage_value_fen=fen(policy.insurance_coverage_value),
        region_weights=tuple(
            matching_policy.RegionWeight(weight.key, ppm(weight.lift_percent))
            for weight in weights
            if weight.dimension == WeightDimension.REGION
        ),
        size_weights=tuple(
            matching_policy.SizeWeight(weight.key, ppm(weight.lift_percent))
            for weight in weights
            if weight.dimension == WeightDimension.SIZE_CLASS
        ),
        first_time_lift_ppm=ppm(policy.first_time_lift_percent),
        waiting_lift_ppm_per_day=ppm(policy.waiting_lift_percent_per_day),
        waiting_lift_most_ppm=ppm(policy.waiting_lift_most_percent),
        oversubscription_ppm=ppm(policy.oversubscription * 100),
        churn_margin_ppm=ppm(policy.churn_margin_percent),
        lpr_one_year_ppm=ppm(lpr_percent(on, ONE_YEAR_MONTHS)),
        lpr_five_year_ppm=ppm(lpr_percent(on, FIVE_YEAR_MONTHS)),
        reference_spread_ppm=ppm(policy.reference_spread_percent),
        ceiling_spread_ppm=ppm(policy.ceiling_spread_percent),
        standard_premiums=tuple(
            matching_policy.StandardPremium(
                cover_kind=row.cover_kind,
                min_fen=fen(row.min_premium),
                base_fen=fen(row.base_premium),
                per_patent_fen=fen(row.premium_per_patent),
                rate_ppm=ppm(row.premium_rate_percent),
            )
            for row in policy.standard_premiums.all()
        ),
    )


def reference_rates(on: date) -> tuple[Decimal, Decimal]:
    """The two LPRs of a day: all of the day that an offer's row depends on."""
    return lpr_percent(on, ONE_YEAR_MONTHS), lpr_percent(on, FIVE_YEAR_MONTHS)


def nominal_rate_percent(offer: LoanOffer, on: date) -> Decimal:
    """The offer's nominal rate on a day: fixed, or the LPR of that day plus its spread."""
    if offer.rate_basis == RateBasis.FIXED:
        assert offer.interest_rate_percent is not None  # a CHECK says so
        return offer.interest_rate_percent
    assert offer.spread_bp is not None
    months = ONE_YEAR_MONTHS if offer.rate_basis == RateBasis.LPR_1Y else FIVE_YEAR_MONTHS
    return max(Decimal(0), lpr_percent(on, months) + Decimal(offer.spread_bp) / 100)


def with_matching_facts(requests: QuerySet[LoanRequest]) -> QuerySet[LoanRequest]:
    """The requests with everything `loan_request_rows` reads, in a fixed number of queries."""
    return requests.select_related("business").prefetch_related(
        Prefetch("patents", queryset=Patent.objects.with_facts()),
        Prefetch("business__certificates", queryset=Certificate.objects.all()),
    )


def with_criteria(offers: QuerySet[LoanOffer]) -> QuerySet[LoanOffer]:
    """The offers with everything `loan_offer_rows` reads."""
    return offers.select_related("institution").prefetch_related(
        "regions", "accepted_kinds", "collateral_limits", "fees"
    )


@dataclass(frozen=True)
class HeldCapacity:
    """What is referred, in study or waiting at one offer."""

    amount: Decimal = Decimal(0)
    count: int = 0


def held_capacity(
    offers: Iterable[LoanOffer | InsuranceOffer],
) -> dict[int, HeldCapacity]:
    """Held amount (yuan) and number of matches by offer id (DOMAIN 3, Capacity).

    The offers are all of one kind.
    """
    known = list(offers)
    is_insurance = bool(known) and isinstance(known[0], InsuranceOffer)
    field: OfferField = "insurance_offer" if is_insurance else "loan_offer"
    return held_by_offer(field, [offer.pk for offer in known])


def held_by_offer(field: OfferField, offer_ids: Sequence[int]) -> dict[int, HeldCapacity]:
    """The same for ids of offers of one kind."""
    rows = (
        Match.objects.filter(
            one_of(Match, f"{field}_id", offer_ids), status__in=MATCH_HELD_STATUSES
        )
        .values(offer_id=F(f"{field}_id"))
        .annotate(amount=Sum("amount"), count=Count("pk"))
        .order_by()
    )
    return {row["offer_id"]: HeldCapacity(row["amount"], row["count"]) for row in rows}


def loan_offer_criteria(offers: Sequence[LoanOffer], on: date) -> list[tables.LoanOfferRow]:
    """Offers read `with_criteria`, as if nothing were held and everything delivered."""
    return [_loan_offer_row(offer, on, HeldCapacity(), PPM) for offer in offers]


def loan_offer_rows(offers: Sequence[LoanOffer], on: date) -> list[tables.LoanOfferRow]:
    """Offers read `with_criteria`, with capacity and delivery share as of now."""
    held = held_capacity(offers)
    delivery = delivery_shares_ppm(
        [offer.pk for offer in offers], on, prior_count=DELIVERY_PRIOR_COUNT
    )
    return [
        _loan_offer_row(offer, on, held.get(offer.pk, HeldCapacity()), delivery.get(offer.pk, PPM))
        for offer in offers
    ]


def _loan_offer_row(
    offer: LoanOffer, on: date, held: HeldCapacity, delivery_ppm: int
) -> tables.LoanOfferRow:
    share = offer.collateral_share_percent
    return tables.LoanOfferRow(
        id=str(offer.pk),
        institution_id=str(offer.institution_id),
        status=offer.status,
        is_institution_suspended=offer.institution.is_suspended,
        opens_on=offer.opens_on,
        closes_on=offer.closes_on,
        regions=frozenset(region.code for region in offer.regions.all()),
        industries=frozenset(offer.industries),
        size_classes=frozenset(offer.size_classes),
        principal_min_fen=fen(offer.min_principal),
        principal_max_fen=fen(offer.max_principal),
        term_min_months=offer.min_term_months,
        term_max_months=offer.max_term_months,
        accepted_patents=tuple(
            tables.AcceptedPatentKind(
                kind=row.kind,
                loan_to_value_ppm=ppm(row.loan_to_value_percent),
                min_remaining_months=row.min_remaining_months,
            )
            for row in offer.accepted_kinds.all()
        ),
        margin_months=offer.life_margin_months,
        min_patents_count=offer.min_patents,
        collateral_basis=offer.collateral_basis,
        limit_table=tuple(
            tables.LimitStep(patents_count=row.min_patents, limit_fen=fen(row.limit_amount))
            for row in offer.collateral_limits.all()
        ),
        secured_share_ppm=None if share is None else ppm(share),
        unappraised_limit_fen=optional_fen(offer.unappraised_limit),
        appraisal_fee_fen=fen(offer.appraisal_fee),
        appraisal_max_age_months=offer.max_appraisal_age_months,
        min_operating_months=offer.min_operating_months,
        required_certificates=frozenset(offer.required_certificates),
        interest_rate_ppm=ppm(nominal_rate_percent(offer, on)),
        repayment_method=offer.repayment_method,
        day_count=offer.day_count,
        fees=tuple(
            tables.OfferFee(
                payer=fee.payer,
                timing=fee.timing,
                fixed_fen=optional_fen(fee.amount) or 0,
                share_ppm=0 if fee.percent is None else ppm(fee.percent),
            )
            for fee in offer.fees.all()
        ),
        capacity_fen=fen(offer.capacity_amount),
        booked_fen=fen(offer.booked_amount),
        held_fen=fen(held.amount),
        capacity_count=offer.capacity_count,
        booked_count=offer.booked_count,
        held_count=held.count,
        delivery_ppm=delivery_ppm,
    )


def loan_request_rows(requests: Sequence[LoanRequest], on: date) -> list[tables.LoanRequestRow]:
    """Requests read `with_matching_facts`; drafts must have principal, least accepted and term."""
    patents = {patent.pk: patent for request in requests for patent in request.patents.all()}
    pledges = {
        pledge.application_number: pledge
        for pledge in Pledge.objects.filter(
            one_of(
                Pledge,
                "application_number",
                {patent.application_number for patent in patents.values()},
            ),
            status__in=PLEDGE_LIVE_STATUSES,
        )
    }
    borrowers = earlier_borrowers({request.business_id for request in requests})
    rows = {
        pk: _patent_row(patent, on, pledges.get(patent.application_number))
        for pk, patent in patents.items()
    }
    return [
        _loan_request_row(
            request,
            on,
            patents=tuple(rows[patent.pk] for patent in request.patents.all()),
            is_first_time=request.business_id not in borrowers,
        )
        for request in requests
    ]


def earlier_borrowers(business_ids: Iterable[int]) -> set[int]:
    """Those of the businesses that had a pledge registered before."""
    return set(
        Pledge.objects.filter(
            status__in=[PledgeStatus.REGISTERED, PledgeStatus.RELEASED],
            match__in=Match.objects.filter(one_of(Match, "business_id", business_ids)),
        ).values_list("match__business_id", flat=True)
    )


def waiting_days(request: LoanRequest | InsuranceRequest, on: date) -> int:
    """Days since the request was submitted; none for a draft."""
    submitted_on = timezone.localdate(request.submitted_at) if request.submitted_at else on
    return max(0, (on - submitted_on).days)


def _loan_request_row(
    request: LoanRequest,
    on: date,
    *,
    patents: tuple[tables.PatentRow, ...],
    is_first_time: bool,
) -> tables.LoanRequestRow:
    business = request.business
    assert request.principal is not None
    assert request.least_accepted is not None
    assert request.term_months is not None
    limit = request.max_apr_percent
    return tables.LoanRequestRow(
        id=str(request.pk),
        business_id=str(business.pk),
        region_code=business.region_id,
        industry_code=business.industry,
        size_class=business.size_class,
        established_on=business.established_on,
        principal_fen=fen(request.principal),
        least_accepted_fen=fen(request.least_accepted),
        term_months=request.term_months,
        max_apr_ppm=None if limit is None else ppm(limit),
        certificates=certificates_held(business, on),
        is_first_time_borrower=is_first_time,
        waiting_days=waiting_days(request, on),
        patents=patents,
    )


def certificates_held(business: Business, on: date) -> frozenset[str]:
    """Kinds of the certificates that are valid on a day."""
    return frozenset(
        certificate.kind
        for certificate in business.certificates.all()
        if certificate.valid_until is None or certificate.valid_until >= on
    )


def hard_grounds(findings: Iterable[Finding]) -> frozenset[str]:
    """Codes of the hard grounds that keep a patent out whatever the offer and the term."""
    codes = {finding.code for finding in findings if finding.severity == "hard"}
    return frozenset(codes - PAIR_GROUNDS)


def _patent_row(patent: Patent, on: date, pledge: Pledge | None) -> tables.PatentRow:
    findings = registrability_of(patent, on=on)
    appraisal = latest_appraisal(patent)
    pledgee_id, released_on = _pledgee(patent, pledge)
    return tables.PatentRow(
        id=str(patent.pk),
        kind=patent.kind,
        expires_on=expires_on(patent),
        appraised_value_fen=None if appraisal is None else fen(appraisal.appraised_value),
        appraised_on=None if appraisal is None else appraisal.appraised_on,
        hard_grounds=hard_grounds(findings),
        soft_grounds=frozenset(finding.code for finding in findings if finding.severity == "soft")
        - PAIR_GROUNDS,
        co_owner_ids=frozenset(co_owner_id(owner) for owner in patent.co_owners.all()),
        pledgee_institution_id=pledgee_id,
        pledge_released_on=released_on,
    )


def co_owner_id(owner: CoOwner) -> str:
    return f"co-owner-{owner.pk}"


def _pledgee(patent: Patent, pledge: Pledge | None) -> tuple[str | None, date | None]:
    """Who holds the live pledge: an institution here, else somebody outside the portal."""
    if pledge is not None:
        return str(pledge.pledgee_id), None
    for encumbrance in patent.encumbrances.all():
        if encumbrance.kind == EncumbranceKind.PLEDGE and encumbrance.released_on is None:
            return f"outside-{encumbrance.pk}", encumbrance.releases_on
    return None, None


def optional_fen(amount: Decimal | None) -> int | None:
    return None if amount is None else fen(amount)
