"""Branch offices in the admin, kept by the system administrator."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from sipo_portal.audit.actors import Actor
from sipo_portal.offices.models import BranchOffice, Region
from sipo_portal.offices.services import save_office
from sipo_portal.ui.admin_site import portal_admin
from sipo_portal.ui.scoped_admin import ScopedModelAdmin


class PlaceField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Divisions with their provinces: names of counties repeat."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.place} ({obj.code})"


@admin.register(BranchOffice, site=portal_admin)
class BranchOfficeAdmin(ScopedModelAdmin):
    view_roles = add_roles = change_roles = ("system_admin",)
    list_display = ("name", "name_en", "region", "parent", "is_active")
    list_select_related = ("region", "parent")
    list_filter = ("is_active",)
    search_fields = ("name", "name_en", "region__code", "region__name")
    fields = ("name", "name_en", "region", "parent", "is_active")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "region":
            kwargs |= {
                "form_class": PlaceField,
                "queryset": Region.objects.select_related("parent__parent"),
            }
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_through_service(
        self, request: HttpRequest, obj: Any, form: Any, formsets: Sequence[Any], change: bool
    ) -> Any:
        return save_office(
            Actor.of(request.user), office=obj if change else None, **form.cleaned_data
        )
