"""Who is told: the people of a business, of an institution, of the office responsible."""

from collections.abc import Iterable

from businesses.models import Business
from financing.models import Match
from financing.models.institutions import Institution
from sipo_portal.accounts.models import Role, User
from sipo_portal.offices.models import BranchOffice


def business_people(business: Business) -> list[User]:
    """The active members of a business."""
    return list(
        User.objects.filter(
            business_memberships__business=business,
            business_memberships__is_active=True,
            is_active=True,
        )
    )


def institution_people(institution: Institution) -> list[User]:
    """The active staff of an institution."""
    return list(
        User.objects.filter(
            institution_post__institution=institution,
            institution_post__is_active=True,
            is_active=True,
        )
    )


def office_people(offices: Iterable[BranchOffice | None]) -> list[User]:
    """The active coordinators of these offices."""
    pks = [office.pk for office in offices if office is not None]
    return list(User.objects.filter(office__in=pks, role=Role.COORDINATOR, is_active=True))


def responsible_office(match: Match) -> BranchOffice | None:
    """The office its review was handed up to, else the nearest that covers the business's region.

    Offices nobody works in are passed over: nobody there could answer.
    """
    if match.escalated_to is not None:
        return match.escalated_to
    return next(iter(_staffed_offices(match.business)), None)


def office_above(match: Match) -> BranchOffice | None:
    """Where a silent review goes next: the nearest staffed parent of the responsible office."""
    current = responsible_office(match)
    if current is None:
        return None
    staffed = _staffed_offices(match.business)
    parents = {office.pk: office.parent_id for office in BranchOffice.objects.all()}
    above, parent = [], current.parent_id
    while parent is not None and parent not in above:
        above.append(parent)
        parent = parents.get(parent)
    by_pk = {office.pk: office for office in staffed}
    for pk in above:
        if pk in by_pk:
            return by_pk[pk]
    # No parent is entered, or none has people: the next larger region.
    wider = [each for each in staffed if len(each.scope_prefix) < len(current.scope_prefix)]
    return next(iter(wider), None)


def _staffed_offices(business: Business) -> list[BranchOffice]:
    return list(
        BranchOffice.objects.covering(business.region)
        .filter(coordinators__is_active=True)
        .select_related("region", "parent")
        .distinct()
    )
