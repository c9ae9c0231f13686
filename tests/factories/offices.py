"""Divisions and branch offices for tests."""

from itertools import count
from typing import Any

from sipo_portal.offices import divisions
from sipo_portal.offices.models import BranchOffice, Region

_numbers = count(1)


def make_region(code: str = "320505") -> Region:
    """The division `code` with its parents, named as in GB/T 2260; one row per code."""
    above = f"{code[:4]}00" if not code.endswith("00") else f"{code[:2]}0000"
    parent = None if code.endswith("0000") else make_region(above)
    level = "province" if parent is None else "prefecture" if code.endswith("00") else "county"
    known = divisions.get(code) if divisions.is_known(code) else None
    names = {
        "name": known.name if known else f"示范{code}",
        "name_en": known.name_en if known else f"Demo {code}",
    }
    region, _created = Region.objects.get_or_create(
        code=code, defaults={"level": level, "parent": parent, **names}
    )
    return region


def make_office(region: Region | str | None = "320000", **fields: Any) -> BranchOffice:
    """An open office for a region (or its code); None makes the national one."""
    number = next(_numbers)
    fields = {"name": f"第{number}办事处", "name_en": f"Office {number}"} | fields
    if isinstance(region, str):
        region = make_region(region)
    return BranchOffice.objects.create(region=region, **fields)
