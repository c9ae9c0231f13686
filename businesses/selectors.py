"""What patents and businesses look like on a day: rows turned into the shapes of the rules.

Called by views, services and the matcher's bridge. Nothing here queries when the patents come from
`Patent.objects.….with_facts()`.
"""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import cast

from businesses.models import Appraisal, Business, Encumbrance, Patent
from businesses.models.co_owners import CoOwnerConsent
from businesses.models.encumbrances import EncumbranceKind
from businesses.models.patents import EndReason, PatentStatus
from businesses.rules import annuities, insurability, patent_term, registrability, size_class
from businesses.rules.annuities import AnnuityStatus
from businesses.rules.findings import Finding
from businesses.rules.insurability import InsuranceConditions, InsuredPatent
from businesses.rules.patent_term import PatentKind
from businesses.rules.registrability import LivePledge, PatentFacts
from businesses.rules.size_class import SizeVerdict
from sipo_portal.offices.working_days import add_working_days


def kind_of(patent: Patent) -> PatentKind:
    return cast(PatentKind, str(patent.kind))


def expires_on(patent: Patent) -> date:
    """The day the patent's term ends, with its compensation days."""
    return patent_term.expires_on(
        kind_of(patent), patent.filed_on, compensation_days=patent.compensation_days
    )


def latest_appraisal(patent: Patent, *, on: date | None = None) -> Appraisal | None:
    """The newest appraisal (made on or before `on`); the later entry of two on one day."""
    known = [each for each in patent.appraisals.all() if on is None or each.appraised_on <= on]
    return max(known, key=lambda each: (each.appraised_on, each.pk), default=None)


def live_encumbrances(patent: Patent, *, on: date) -> list[Encumbrance]:
    """What lies on the patent on `on`: not released, or released later."""
    return [
        each
        for each in patent.encumbrances.all()
        if each.released_on is None or each.released_on > on
    ]


def annuity_status(patent: Patent, *, on: date) -> AnnuityStatus:
    """Where the annuities stand on `on`, due dates moved off holidays."""
    return annuities.status(
        kind_of(patent),
        patent.filed_on,
        patent.granted_on,
        patent.annuity_paid_through_year,
        on,
        relief_percent=patent.annuity_relief_percent,
        compensation_days=patent.compensation_days,
        next_working_day=next_working_day,
    )


@lru_cache(maxsize=11_000)
def next_working_day(day: date) -> date:
    """`day`, or the first working day after it (weekdays beyond the announced calendar)."""
    return add_working_days(day, 0)[0]


def facts_of(patent: Patent, *, on: date) -> PatentFacts:
    """The patent as the grounds of refusal read it on `on`.

    A granted patent whose annuities nobody recorded counts as unpaid: they have to be recorded
    before it can be pledged.
    """
    business = patent.business
    co_owners = list(patent.co_owners.all())
    encumbrances = live_encumbrances(patent, on=on)
    kinds = {each.kind for each in encumbrances}
    annuity = annuity_status(patent, on=on)
    return PatentFacts(
        kind=kind_of(patent),
        filed_on=patent.filed_on,
        granted_on=patent.granted_on,
        expires_on=expires_on(patent),
        owner_names=(*_named_owner(patent, business), *(each.name for each in co_owners)),
        business_name=business.name,
        number=patent.application_number,
        consenting_names=tuple(
            each.name for each in co_owners if each.consent == CoOwnerConsent.GIVEN
        ),
        ended_on=_ended_on(patent, annuity),
        is_invalidated=patent.end_reason == EndReason.INVALIDATED,
        is_annuity_unpaid=annuity.state in ("in_grace", "unknown"),
        is_ownership_disputed=patent.has_ownership_dispute,
        is_preserved=EncumbranceKind.PRESERVATION in kinds,
        live_pledge=_live_pledge(encumbrances),
        has_same_day_invention_filing=patent.has_same_day_invention_filing,
        is_invalidation_pending=patent.is_invalidation_pending,
        other_hindrance="transfer" if EncumbranceKind.TRANSFER in kinds else "",
    )


def _named_owner(patent: Patent, business: Business) -> tuple[str, ...]:
    if patent.owner_name_on_register.strip():
        return (patent.owner_name_on_register,)
    # A patent held by licence belongs to somebody else even when the owner's name is not given.
    return () if patent.is_licensed_in else (business.name,)


def _ended_on(patent: Patent, annuity: AnnuityStatus) -> date | None:
    if patent.ended_on is not None:
        return patent.ended_on
    if patent.status == PatentStatus.ENDED:
        return patent.filed_on
    return annuity.ended_on if annuity.state == "lapsed" else None


def _live_pledge(encumbrances: Iterable[Encumbrance]) -> LivePledge | None:
    """The pledge that stays longest; one without a day of release stays longer than any."""
    pledges = [each for each in encumbrances if each.kind == EncumbranceKind.PLEDGE]
    if not pledges:
        return None
    last = max(pledges, key=lambda each: (each.releases_on or date.max, each.pk))
    return LivePledge(last.holder, last.releases_on)


def registrability_of(
    patent: Patent,
    *,
    on: date,
    debt_ends_on: date | None = None,
    drawdown_on: date | None = None,
    pledgee: str | None = None,
) -> tuple[Finding, ...]:
    """The grounds that stand against pledging this patent on `on`; empty when there are none."""
    return registrability.check(
        facts_of(patent, on=on),
        as_of=on,
        debt_ends_on=debt_ends_on,
        drawdown_on=drawdown_on,
        pledgee=pledgee,
    )


def insured_facts_of(patent: Patent, *, on: date) -> InsuredPatent:
    """The patent as the conditions of insurers read it on `on`; the business is policyholder.

    A licensor is no co-owner of the business: the licence is its consent.
    """
    facts = facts_of(patent, on=on)
    licensor = (patent.owner_name_on_register,) if patent.is_licensed_in else ()
    return InsuredPatent(
        kind=facts.kind,
        granted_on=facts.granted_on,
        expires_on=facts.expires_on,
        owner_names=facts.owner_names,
        policyholder_name=facts.business_name,
        licensee_names=(facts.business_name,) if patent.is_licensed_in else (),
        consenting_names=(*facts.consenting_names, *licensor),
        ended_on=facts.ended_on,
        is_invalidated=facts.is_invalidated,
        is_annuity_unpaid=facts.is_annuity_unpaid,
        is_ownership_disputed=facts.is_ownership_disputed or facts.is_preserved,
        is_infringement_disputed=patent.has_infringement_dispute,
    )


def insurability_of(
    patent: Patent, *, on: date, conditions: InsuranceConditions
) -> tuple[Finding, ...]:
    """What stands against insuring this patent on `on` under an insurer's conditions."""
    return insurability.check(insured_facts_of(patent, on=on), conditions, as_of=on)


def size_verdict(business: Business) -> SizeVerdict:
    """The size class with its reasons, from the stored industry and figures."""
    return size_class.classify(
        business.industry, business.employee_count, business.revenue_wan, business.assets_wan
    )
