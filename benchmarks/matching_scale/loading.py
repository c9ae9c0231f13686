"""The generator's rows as records of the portal, loaded once by COPY; `matching_db` calls it.

Requests go through two plain tables that PostgreSQL spreads over the portal's tables. What has no
record behind it in the generator gets one that the rules read the same way: a hard ground is an
annuity nobody recorded, a pledge one outside the portal. Days are moved from the generator's to
today. Every business is a first-time borrower, no request names its day of drawdown.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from django.db import connection
from django.utils import timezone

from benchmarks.matching_scale.instances import AS_OF, Instance
from financing.copying import HEADER, TRAILER, binary_cursor
from financing.matching.national.tables import NO_DAY, LoanRequestColumns
from financing.matching.tables import LoanOfferRow
from financing.models import (
    AcceptedPatentKind,
    CollateralLimit,
    Institution,
    LoanOffer,
    LoanOfferFee,
)

REQUESTS = """
CREATE UNLOGGED TABLE bench_request (
    id bigint, region bigint, industry bigint, size bigint, established bigint, principal bigint,
    least bigint, term bigint, apr bigint, certificates bigint, waiting bigint);
CREATE UNLOGGED TABLE bench_patent (
    id bigint, request bigint, kind bigint, expires bigint, value bigint, appraised bigint,
    hard bigint, pledgee bigint, releases bigint)
"""
SPREAD = (
    """
    INSERT INTO businesses_business (id, name, credit_code, credit_code_exception_reason, address,
        industry, established_on, employee_count, has_low_taxable_income, size_class,
        size_indicator, is_size_provisional, contact_name, contact_phone, legal_representative,
        status, assumed_fields, created_at, updated_at, region_id, suspension_reason)
    SELECT id, 'Business ' || id, lpad(id::text, 18, '0'), '', '',
        (%(industries)s::text[])[industry + 1], date '1970-01-01' + established::int, 10, false,
        (ARRAY['micro', 'small'])[size + 1], 'employees', false, '', '', '', 'verified', '[]',
        now(), now(), (%(regions)s::text[])[region + 1], ''
    FROM bench_request
    """,
    """
    INSERT INTO businesses_certificate (kind, number, valid_until, business_id)
    SELECT (%(certificates)s::text[])[bit], '', NULL, id
    FROM bench_request, generate_series(1, 4) AS bit WHERE certificates >> (bit - 1) & 1 = 1
    """,
    """
    INSERT INTO financing_loanrequest (id, status, principal, least_accepted, term_months,
        max_apr_percent, purpose, purpose_text, submitted_at, refreshed_at, returned_reason,
        created_at, updated_at, business_id)
    SELECT id, 'open', principal / 100, least / 100, term,
        CASE WHEN apr >= 0 THEN apr / 10000.0 END, 'research', '',
        now() - waiting * interval '1 day', now(), '', now(), now(), id
    FROM bench_request
    """,
    """
    INSERT INTO businesses_patent (id, application_number, kind, title, filed_on, granted_on,
        publication_number, ipc_main, has_overseas_family, is_licensed_in, owner_name_on_register,
        annuity_paid_through_year, annuity_relief_percent, compensation_days,
        has_ownership_dispute, has_infringement_dispute, has_same_day_invention_filing,
        is_invalidation_pending, end_reason, status, assumed_fields, created_at, updated_at,
        business_id)
    SELECT id, lpad(id::text, 14, '0'), (ARRAY['invention', 'utility_model', 'design'])[kind + 1],
        'Patent', filed, filed, '', '', false, false, '',
        CASE WHEN hard = 0 THEN 20 END, 0, 0, false, false, false, false, '', 'verified', '[]',
        now(), now(), request
    FROM (SELECT *, (date '1970-01-01' + expires::int
        - (ARRAY[20, 10, 15])[kind + 1] * interval '1 year')::date AS filed FROM bench_patent) AS p
    """,
    """
    INSERT INTO businesses_appraisal (appraiser, appraised_on, method, appraised_value,
        report_number, created_at, patent_id)
    SELECT 'Appraiser', date '1970-01-01' + appraised::int, 'income', value / 100.0, '', now(), id
    FROM bench_patent WHERE value > 0
    """,
    """
    INSERT INTO businesses_encumbrance (kind, holder, registered_on, releases_on, patent_id)
    SELECT 'pledge', 'Bank ' || pledgee, date '2020-01-01',
        CASE WHEN releases > -1000000 THEN date '1970-01-01' + releases::int END, id
    FROM bench_patent WHERE pledgee >= 0
    """,
    """
    INSERT INTO financing_loanrequest_patents (loanrequest_id, patent_id)
    SELECT request, id FROM bench_patent
    """,
)
# So that all ids have as many digits: as numbers and as text they are in one order.
FIRST_PATENT = 10**9
MARKED_TABLES = (
    "businesses_business",
    "businesses_certificate",
    "businesses_patent",
    "businesses_appraisal",
    "businesses_encumbrance",
    "financing_loanrequest",
    "financing_loanrequest_patents",
)
SERIALS = ("businesses_business", "businesses_patent", "financing_loanrequest")


def load(instance: Instance) -> None:
    """Fill an empty, migrated database."""
    shift = (timezone.localdate() - AS_OF).days
    requests = instance.requests
    with connection.cursor() as cursor:
        cursor.execute(REQUESTS)
        codes = sorted({*requests.region_codes, *_offer_regions(instance.offers)})
        cursor.execute(
            "INSERT INTO offices_region (code, name, name_en, level)"
            " SELECT code, code, code, 'county' FROM unnest(%s::text[]) AS code"
            " ON CONFLICT DO NOTHING",
            [codes],
        )
    _copy("bench_request", _request_figures(requests, shift))
    _copy("bench_patent", _patent_figures(requests, shift))
    with connection.cursor() as cursor:
        # One statement marks everything below, instead of a mark for every row.
        for table in MARKED_TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        given = {
            "industries": list(requests.industry_codes),
            "regions": list(requests.region_codes),
            "certificates": list(requests.certificate_codes),
        }
        for statement in SPREAD:
            cursor.execute(statement, given)
        for table in MARKED_TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        for table in SERIALS:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )
        cursor.execute("DROP TABLE bench_request, bench_patent")
        forget_snapshot()
        cursor.execute("ANALYZE")
    _load_offers(instance, shift)


def forget_snapshot() -> None:
    """As before the first run: everything is to be read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO financing_requestmark (kind, request_id)"
            " VALUES ('loan', NULL), ('insurance', NULL)"
        )


def _request_figures(requests: LoanRequestColumns, shift: int) -> list[np.ndarray]:
    # Ids from 1 on, in the generator's order of ids.
    place = np.argsort(np.argsort(requests.id))
    return [
        place + 1,
        requests.region,
        requests.industry,
        requests.size_class,
        requests.established_on + shift,
        requests.principal_fen,
        np.maximum(requests.least_accepted_fen // 100 * 100, 100),
        requests.term_months,
        requests.max_apr_ppm,
        requests.certificates,
        requests.waiting_days,
    ]


def _patent_figures(requests: LoanRequestColumns, shift: int) -> list[np.ndarray]:
    patents = requests.patents
    place = np.argsort(np.argsort(requests.id)) + 1
    counts = np.diff(requests.patents_start)
    releases = np.where(
        patents.released_on == NO_DAY, NO_DAY, patents.released_on.astype(np.int64) + shift
    )
    return [
        np.arange(len(patents)) + FIRST_PATENT,
        np.repeat(place, counts),
        patents.kind,
        patents.expires_on + shift,
        patents.appraised_value_fen,
        np.maximum(patents.appraised_on.astype(np.int64), 0) + shift,
        patents.hard_grounds,
        patents.pledgee,
        releases,
    ]


def _copy(table: str, columns: list[np.ndarray]) -> None:
    parts: list[Any] = [("count", ">i2")]
    for number in range(len(columns)):
        parts += [(f"length{number}", ">i4"), (f"value{number}", ">i8")]
    rows = np.empty(len(columns[0]), dtype=np.dtype(parts))
    rows["count"] = len(columns)
    for number, values in enumerate(columns):
        rows[f"length{number}"], rows[f"value{number}"] = 8, values
    with binary_cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(HEADER)
        for begin in range(0, len(rows), 100_000):
            copy.write(rows[begin : begin + 100_000].tobytes())
        copy.write(TRAILER)


def _offer_regions(offers: tuple[LoanOfferRow, ...]) -> set[str]:
    return {code for offer in offers for code in offer.regions}


def _load_offers(instance: Instance, shift: int) -> None:
    names = sorted({offer.institution_id for offer in instance.offers}, key=lambda n: int(n[1:]))
    seat = instance.requests.region_codes[0]
    banks = {
        name: Institution(name=name, kind="bank", region_id=seat, pk=number)
        for number, name in enumerate(names, start=1)
    }
    Institution.objects.bulk_create(banks.values(), batch_size=1000)
    offers = [
        _offer(row, number, banks[row.institution_id], shift)
        for number, row in enumerate(instance.offers, start=1)
    ]
    LoanOffer.objects.bulk_create(offers, batch_size=1000)
    served = LoanOffer.regions.through
    pairs = list(zip(offers, instance.offers, strict=True))
    served.objects.bulk_create(
        [
            served(loanoffer_id=offer.pk, region_id=code)
            for offer, row in pairs
            for code in sorted(row.regions)
        ],
        batch_size=5000,
    )
    AcceptedPatentKind.objects.bulk_create(
        [
            AcceptedPatentKind(
                offer=offer,
                kind=each.kind,
                loan_to_value_percent=_percent(each.loan_to_value_ppm),
                min_remaining_months=each.min_remaining_months,
            )
            for offer, row in pairs
            for each in row.accepted_patents
        ],
        batch_size=5000,
    )
    CollateralLimit.objects.bulk_create(
        [
            CollateralLimit(
                offer=offer, min_patents=step.patents_count, limit_amount=_yuan(step.limit_fen)
            )
            for offer, row in pairs
            for step in row.limit_table
        ],
        batch_size=5000,
    )
    LoanOfferFee.objects.bulk_create(
        [
            LoanOfferFee(
                offer=offer,
                kind="service",
                payer=fee.payer,
                timing=fee.timing,
                amount=_yuan(fee.fixed_fen) if fee.fixed_fen else None,
                percent=_percent(fee.share_ppm) if fee.share_ppm else None,
            )
            for offer, row in pairs
            for fee in row.fees
        ],
        batch_size=5000,
    )


def _offer(row: LoanOfferRow, number: int, bank: Institution, shift: int) -> LoanOffer:
    share = row.secured_share_ppm
    return LoanOffer(
        pk=number,
        institution=bank,
        name=row.id,
        status=row.status,
        published_at=timezone.now(),
        refreshed_at=timezone.now(),
        opens_on=_moved(row.opens_on, shift) or timezone.localdate(),
        closes_on=_moved(row.closes_on, shift),
        industries=sorted(row.industries),
        size_classes=sorted(row.size_classes),
        # The generator has offers that ask for more than they give; the portal refuses those.
        min_principal=_yuan(min(row.principal_min_fen, row.principal_max_fen)),
        max_principal=_yuan(row.principal_max_fen),
        min_term_months=row.term_min_months,
        max_term_months=row.term_max_months,
        rate_basis="fixed",
        interest_rate_percent=_percent(row.interest_rate_ppm),
        repayment_method=row.repayment_method,
        day_count=row.day_count,
        collateral_basis=row.collateral_basis,
        collateral_share_percent=None if share is None else _percent(share),
        unappraised_limit=None
        if row.unappraised_limit_fen is None
        else _yuan(row.unappraised_limit_fen),
        appraisal_fee=_yuan(row.appraisal_fee_fen),
        max_appraisal_age_months=row.appraisal_max_age_months,
        min_patents=row.min_patents_count,
        life_margin_months=row.margin_months,
        min_operating_months=row.min_operating_months,
        required_certificates=sorted(row.required_certificates),
        capacity_amount=_yuan(row.capacity_fen),
        capacity_count=row.capacity_count,
        booked_amount=_yuan(row.booked_fen),
        booked_count=0,
    )


def _moved(day: date | None, shift: int) -> date | None:
    return None if day is None else day + timedelta(days=shift)


def _yuan(fen: int) -> Decimal:
    return Decimal(fen) / 100


def _percent(ppm: int) -> Decimal:
    return Decimal(ppm) / 10_000
