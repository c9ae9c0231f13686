"""Referrals: what an institution is shown of an approved match, and who opened it.

`refer_blind` is called by `services.matches.approve` in its transaction, `open_referral` and
`open_identity` by the lender's inbox in the admin. DOMAIN 2, "Who sees what when".
"""

from collections import Counter
from datetime import date
from typing import Any, cast

from django.db import transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from businesses.rules import industries
from businesses.rules.patent_term import PatentKind, expires_on, remaining_months
from financing.bands import AMOUNT_BANDS, LIFE_BANDS, band_code
from financing.consent_state import consent_state
from financing.models.disclosures import Disclosure, DisclosureReading, DisclosureStage
from financing.models.matches import Match
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.offices.models import Region

# Every key of the frozen fields: nothing else ever goes into a blind referral.
BLIND_FIELDS = (
    "reference",
    "province_code",
    "province_name",
    "province_name_en",
    "industry_division",
    "size_class",
    "amount_band",
    "patents_by_kind",
    "life_band",
)


def blind_fields(match: Match, *, on: date) -> dict[str, Any]:
    """What a blind referral says of a match on the day `on`, ready to be frozen as JSON.

    Province and two-digit industry of the business, its size class, the amount as a band, the
    number of patents in the basket by kind, and the band of whole years until the first of them
    ends. An industry known only as a section leaves `industry_division` empty.
    """
    business = match.business
    province = Region.objects.get(code=f"{business.region_id[:2]}0000")
    patents = list(match.patents.all())
    months_left = [
        remaining_months(
            expires_on(
                cast(PatentKind, patent.kind),
                patent.filed_on,
                compensation_days=patent.compensation_days,
            ),
            on,
        )
        for patent in patents
    ]
    by_kind = Counter(str(patent.kind) for patent in patents)
    return {
        "reference": match.reference,
        "province_code": province.code,
        "province_name": province.name,
        "province_name_en": province.name_en,
        "industry_division": _division(business.industry),
        "size_class": str(business.size_class),
        "amount_band": band_code(AMOUNT_BANDS, match.amount),
        "patents_by_kind": dict(sorted(by_kind.items())),
        "life_band": band_code(LIFE_BANDS, min(months_left) // 12) if months_left else "",
    }


def refer_blind(actor: Actor, match: Match) -> Disclosure:
    """Show the institution of `match` its blind fields, frozen now; safe to repeat.

    Sets `referred_at`, which makes the match a referral of the institution. Must be called in the
    transaction of the approval, which holds the lock of the match; raises
    TransactionManagementError outside one. Audited with the names of the fields.
    """
    if not transaction.get_connection().in_atomic_block:
        raise TransactionManagementError("refer_blind() must be called inside a transaction.")
    now = timezone.now()
    disclosure, is_new = Disclosure.objects.get_or_create(
        match=match,
        stage=DisclosureStage.BLIND,
        defaults={
            "institution_id": match.institution_id,
            "fields": blind_fields(match, on=timezone.localdate(now)),
        },
    )
    if match.referred_at is None:
        match.referred_at = now
        match.save(update_fields=["referred_at", "updated_at"])
    if is_new:
        record(
            Verb.DISCLOSED,
            actor=actor,
            obj=match,
            data={
                "stage": DisclosureStage.BLIND.value,
                "institution": match.institution_id,
                "fields": sorted(disclosure.fields),
            },
        )
    return disclosure


class IdentityClosed(Exception):
    """The identity may not be read; `was_open` tells a withdrawn consent from one never given."""

    def __init__(self, *, was_open: bool) -> None:
        super().__init__("consent withdrawn" if was_open else "not disclosed")
        self.was_open = was_open


@transaction.atomic
def open_referral(actor: Actor, match: Match) -> Disclosure:
    """The blind disclosure of `match`, for a person of its institution.

    Written into the ledger and audited every time. The caller has looked `match` up among the
    person's own referrals. Raises Disclosure.DoesNotExist when nothing was disclosed.
    """
    return _read(
        actor, match, Disclosure.objects.get(match_id=match.pk, stage=DisclosureStage.BLIND)
    )


@transaction.atomic
def open_identity(actor: Actor, match: Match) -> Disclosure:
    """The identity disclosure of `match`, for a person of its institution, while consent stands.

    Written into the ledger and audited every time. The caller has looked `match` up among the
    person's own referrals. Raises IdentityClosed, also after consent was withdrawn: nothing that
    was disclosed before can be read anew.
    """
    state = consent_state(match)
    if state.identity is None or not state.is_complete:
        raise IdentityClosed(was_open=state.identity is not None)
    return _read(actor, match, state.identity)


def _read(actor: Actor, match: Match, disclosure: Disclosure) -> Disclosure:
    if actor.user is not None:
        DisclosureReading.objects.create(disclosure=disclosure, read_by=actor.user)
    record(Verb.REFERRAL_READ, actor=actor, obj=match, data={"stage": disclosure.stage})
    return disclosure


def _division(industry: str) -> str:
    try:
        return industries.division(industry) or ""
    except industries.UnknownIndustry:
        return ""
