"""Loading divisions and keeping branch offices; for `load_reference_data` and the admin."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.offices.divisions import Division, all_divisions
from sipo_portal.offices.models import BranchOffice, Region
from sipo_portal.offices.verbs import OfficeVerb


@transaction.atomic
def load_regions(divisions: Iterable[Division] | None = None) -> int:
    """Insert or update one Region per division (GB/T 2260 by default); returns how many.

    Safe to repeat. Divisions no longer in the table stay: records name them. A county of a division
    without its own row above (directly administered ones) hangs on the nearest division there is.
    """
    wanted = {each.code: each for each in (divisions or all_divisions().values())}
    known = {*wanted, *Region.objects.values_list("code", flat=True)}
    rows = [
        Region(
            code=each.code,
            name=each.name,
            name_en=each.name_en,
            level=each.level,
            parent_id=_nearest_above(each, known),
        )
        for each in wanted.values()
    ]
    Region.objects.bulk_create(
        rows,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name", "name_en", "level", "parent"],
    )
    return len(rows)


@transaction.atomic
def save_office(
    actor: Actor,
    *,
    office: BranchOffice | None,
    name: str,
    name_en: str,
    region: Region | None,
    parent: BranchOffice | None,
    is_active: bool = True,
) -> BranchOffice:
    """Create (`office` None) or change a branch office; locks the one changed.

    Raises ValidationError by field: a name taken, a second national office, or a parent that does
    not answer for a wider region around this one (so offices can never form a ring).
    """
    if office is None:
        row, verb, before = BranchOffice(), OfficeVerb.CREATED, {}
    else:
        row = BranchOffice.objects.select_for_update(of=("self",)).get(pk=office.pk)
        verb, before = OfficeVerb.CHANGED, _facts(row)
    row.name, row.name_en = name.strip(), name_en.strip()
    row.region, row.parent, row.is_active = region, parent, is_active
    if parent is not None and region is not None:
        inside = region.code.startswith(parent.scope_prefix)
        if not inside or len(parent.scope_prefix) >= len(row.scope_prefix):
            raise ValidationError(
                {"parent": _("The parent office must answer for a wider region around this one.")}
            )
    row.full_clean()
    row.save()
    record(verb, actor=actor, obj=row, data={"before": before, "after": _facts(row)})
    return row


def _facts(office: BranchOffice) -> dict[str, object]:
    return {
        "name": office.name,
        "region": office.region_id,
        "parent": office.parent_id,
        "is_active": office.is_active,
    }


def _nearest_above(division: Division, known: set[str]) -> str | None:
    above = division.parent_code
    if above is None or above in known:
        return above
    province = f"{division.code[:2]}0000"
    return province if province in known else None
