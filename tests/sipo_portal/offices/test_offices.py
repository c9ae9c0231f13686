"""Divisions as a tree, offices over subtrees, and what is refused."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError
from django.utils.translation import override

from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.offices.divisions import all_divisions
from sipo_portal.offices.models import BranchOffice, Region
from sipo_portal.offices.services import save_office
from tests.factories.accounts import make_user
from tests.factories.offices import make_office, make_region

pytestmark = pytest.mark.django_db


def test_reference_data_is_loaded_whole_and_again() -> None:
    Region.objects.create(code="320000", name="old", level="county")
    call_command("load_reference_data")
    call_command("load_reference_data")
    assert Region.objects.count() == len(all_divisions())
    jiangsu = Region.objects.get(code="320000")
    assert (jiangsu.name, jiangsu.level, jiangsu.parent) == ("江苏省", "province", None)
    assert not Region.objects.filter(parent=None).exclude(level="province").exists()


def test_subtree_is_what_hangs_below() -> None:
    call_command("load_reference_data")
    for code in ("320000", "320500", "320505", "110000"):
        region = Region.objects.get(code=code)
        below, found = {code}, {code}
        while found := set(Region.objects.filter(parent__in=found).values_list("code", flat=True)):
            below |= found
        assert set(Region.objects.subtree(region).values_list("code", flat=True)) == below
    assert Region.objects.subtree(None).count() == Region.objects.count()


def test_names_follow_the_language() -> None:
    region = make_region("320000")
    with override("en"):
        assert region.label == "Jiangsu"
    with override("zh-hans"):
        assert region.label == "江苏省"


def test_offices_covering_a_county_nearest_first() -> None:
    national, province = make_office(None), make_office("320000")
    city, county = make_office("320500"), make_office("320505")
    make_office("320100")
    make_office("320506")
    make_office("320505", is_active=False)
    covering = BranchOffice.objects.covering(make_region("320505"))
    assert list(covering) == [county, city, province, national]


def test_save_office_audits() -> None:
    system = Actor.of(make_user(Role.SYSTEM_ADMIN))
    fields: dict[str, Any] = {"name_en": "", "parent": None}
    office = save_office(
        system, office=None, name="江苏办事处", region=make_region("320000"), **fields
    )
    save_office(system, office=office, name="江苏局", region=office.region, **fields)
    assert BranchOffice.objects.get().name == "江苏局"
    first, second = AuditEvent.objects.order_by("pk")
    assert (first.verb, second.verb) == ("office.created", "office.changed")
    assert second.data["before"]["name"] == "江苏办事处"


@pytest.mark.parametrize(
    ("own", "above"), [("320000", "320500"), ("320500", "110000"), ("320500", "320500")]
)
def test_a_parent_must_be_wider(own: str, above: str) -> None:
    parent = make_office(above)
    with pytest.raises(ValidationError) as refused:
        save_office(
            Actor.SYSTEM,
            office=None,
            name="x",
            name_en="",
            region=make_region(own),
            parent=parent,
        )
    assert "parent" in refused.value.message_dict


def test_one_national_office() -> None:
    make_office(None)
    with pytest.raises(ValidationError):
        save_office(Actor.SYSTEM, office=None, name="x", name_en="", region=None, parent=None)
    with pytest.raises(IntegrityError):
        make_office(None)


def test_closed_offices_are_for_the_system_administrator() -> None:
    closed = make_office("320000", is_active=False)
    assert closed not in BranchOffice.objects.visible_to(make_user(Role.OWNER))
    assert closed in BranchOffice.objects.visible_to(make_user(Role.SYSTEM_ADMIN))
    assert not BranchOffice.objects.visible_to(None).exists()
